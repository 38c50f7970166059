// The attestation keys that clouds make in their vTPMs: where each keeps key and certificate.
//
// Google: go-tpm-tools, "GceAKCertNVIndexRSA" and the following; the key is a primary of the
// endorsement hierarchy from a template in NV. Azure: "Guest attestation for confidential virtual
// machines", which names index and handle.

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/ek_chain.h"

namespace bootgate::agent::tpm::internal {
namespace {

struct Place {
  AkKind kind;
  AkKind alike;             // ours, with the same kind of key
  TPM2_HANDLE certificate;  // NV index
  TPM2_HANDLE key;          // NV index of its template, or a persistent handle
};
constexpr Place kPlaces[] = {
    {AkKind::kGoogleEcc, AkKind::kEcc, 0x01c10002, 0x01c10003},
    {AkKind::kGoogleRsa, AkKind::kRsa, 0x01c10000, 0x01c10001},
    {AkKind::kAzure, AkKind::kRsa, 0x01c101d0, 0x81000003},
};

std::string Number(TPM2_HANDLE handle) {
  return absl::StrCat("0x", absl::Hex(handle, absl::kZeroPad8));
}

bool IsPersistent(TPM2_HANDLE handle) { return handle >> 24 == TPM2_HT_PERSISTENT; }

absl::Status Missing(const Place& place) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kTpm,
                absl::StrCat("the attestation key of the cloud (", std::string(Name(place.kind)),
                             "): ", IsPersistent(place.key) ? "no key at " : "no template in NV ",
                             Number(place.key)));
}

// Read once for each connection: each use of the key begins with it.
absl::StatusOr<Bytes> TemplateOf(Context& context, const Place& place) {
  auto& known = context.kept().cloud_templates;
  if (const auto found = known.find(place.key); found != known.end()) return found->second;
  BG_ASSIGN_OR_RETURN(std::optional<Bytes> tpmt, ReadNvIndex(context, place.key));
  if (!tpmt.has_value()) return Missing(place);
  return known[place.key] = *std::move(tpmt);
}

absl::StatusOr<LoadedKey> Load(Context& context, const Place& place) {
  if (!IsPersistent(place.key)) {
    BG_ASSIGN_OR_RETURN(const Bytes tpmt, TemplateOf(context, place));
    return CreatePrimary(context, tpmt);
  }
  BG_ASSIGN_OR_RETURN(std::optional<LoadedKey> key, ReadPersistent(context, place.key));
  if (!key.has_value()) return Missing(place);
  return *std::move(key);
}

absl::Status CheckCertificate(const Place& place, const tpm2::Public& ak, ByteView der) {
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey certified, pki::KeyOfCertificate(der));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ak.Key());
  if (certified == key) return absl::OkStatus();
  return NotAuthentic(Reason::kAkChainUntrusted,
                      absl::StrCat("the AK certificate in NV ", Number(place.certificate),
                                   " is for another key than the one of ", Number(place.key)));
}

}  // namespace

absl::StatusOr<LoadedKey> LoadCloudAk(Context& context, AkKind kind) {
  for (const Place& place : kPlaces) {
    if (place.kind == kind) return Load(context, place);
  }
  return absl::InternalError("not a cloud's attestation key");
}

absl::StatusOr<std::optional<CloudAk>> FindCloudAk(Context& context, AkKind preferred) {
  std::vector<Place> places(std::begin(kPlaces), std::end(kPlaces));
  std::ranges::stable_partition(places,
                                [&](const Place& place) { return place.alike == preferred; });
  for (const Place& place : places) {
    BG_ASSIGN_OR_RETURN(std::optional<Bytes> der, ReadNvIndex(context, place.certificate));
    if (!der.has_value()) continue;
    BG_ASSIGN_OR_RETURN(LoadedKey key, Load(context, place));
    BG_RETURN_IF_ERROR(tpm2::CheckAk(key.public_area));
    BG_RETURN_IF_ERROR(CheckCertificate(place, key.public_area, *der));
    return CloudAk{place.kind, std::move(key.public_area), *std::move(der)};
  }
  return std::nullopt;
}

}  // namespace bootgate::agent::tpm::internal
