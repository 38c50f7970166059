#include <algorithm>
#include <utility>

#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "agent/tpm/internal/rc.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {
namespace {

// Where manufacturers and provisioning tools keep an EK: TCG Registry of Reserved TPM 2.0 Handles,
// EK Credential Profile 2.5, section 2.2.1.5.1, and what swtpm_setup does.
struct Place {
  tpm2::EkTemplate ek_template;
  TPM2_HANDLE handle;
};
constexpr Place kPlaces[] = {
    {tpm2::EkTemplate::kRsa2048Low, 0x81010001},  {tpm2::EkTemplate::kP256Low, 0x81010002},
    {tpm2::EkTemplate::kP256Low, 0x8101000a},     {tpm2::EkTemplate::kRsa2048High, 0x81010012},
    {tpm2::EkTemplate::kP256High, 0x81010014},    {tpm2::EkTemplate::kP384High, 0x81010016},
    {tpm2::EkTemplate::kP521High, 0x81010018},    {tpm2::EkTemplate::kRsa3072High, 0x8101001c},
    {tpm2::EkTemplate::kRsa4096High, 0x8101001e},
};

// What ESYS holds of the handle: what sessions will be salted to.
absl::StatusOr<Bytes> NameHeld(Context& context, const LoadedKey& key) {
  Result<TPM2B_NAME> name;
  BG_RETURN_IF_ERROR(context.Call("name of a key", [&] {
    return Esys_TR_GetName(context.esys(), key.handle.get(), name.put());
  }));
  return FromTpm2b(*name, &TPM2B_NAME::name);
}

// The pinned EK where it lies ready, which saves making it: a second for RSA on a slow TPM.
absl::StatusOr<std::optional<LoadedKey>> FindPersistent(Context& context, const PinnedEk& ek) {
  for (const Place& place : kPlaces) {
    if (place.ek_template != ek.ek_template()) continue;
    BG_ASSIGN_OR_RETURN(std::optional<LoadedKey> key, ReadPersistent(context, place.handle));
    if (!key.has_value() || !SameBytes(key->public_area.Name(), ek.name())) continue;
    BG_ASSIGN_OR_RETURN(const Bytes held, NameHeld(context, *key));
    if (SameBytes(held, ek.name())) return key;
  }
  return std::nullopt;
}

// Made before over this connection: its context is loaded again. nullopt: there is none, or the TPM
// does not take it (it was reset or cleared since).
absl::StatusOr<std::optional<LoadedKey>> LoadAgain(Context& context, ByteView tpmt_template) {
  const KeptKey* const kept = context.kept().Find(tpmt_template);
  if (kept == nullptr) return std::nullopt;
  ESYS_TR handle = ESYS_TR_NONE;
  const absl::Status loaded = context.Call(
      "TPM2_ContextLoad", [&] { return Esys_ContextLoad(context.esys(), &kept->saved, &handle); });
  if (loaded.ok()) {
    return std::optional<LoadedKey>(LoadedKey{Transient(context, handle), kept->public_area});
  }
  context.kept().Drop(tpmt_template);
  if (SpoilsContext(context.last_rc())) return loaded;
  return std::nullopt;
}

// A key that cannot be kept is made again next time.
void Keep(Context& context, ByteView tpmt_template, const LoadedKey& key) {
  Result<TPMS_CONTEXT> saved;
  const absl::Status done = context.Call("TPM2_ContextSave", [&] {
    return Esys_ContextSave(context.esys(), key.handle.get(), saved.put());
  });
  if (done.ok()) context.kept().Put(tpmt_template, {*saved, key.public_area});
}

absl::StatusOr<LoadedKey> MakePrimary(Context& context, ByteView tpmt_template) {
  BG_ASSIGN_OR_RETURN(const TPM2B_PUBLIC in_public, ToPublic(tpmt_template));
  const TPM2B_SENSITIVE_CREATE sensitive = {};
  const TPM2B_DATA outside_info = {};
  const TPML_PCR_SELECTION creation_pcrs = {};
  ESYS_TR handle = ESYS_TR_NONE;
  Result<TPM2B_PUBLIC> out_public;
  BG_RETURN_IF_ERROR(context.Call("TPM2_CreatePrimary", [&] {
    return Esys_CreatePrimary(context.esys(), ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                              ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in_public, &outside_info,
                              &creation_pcrs, &handle, out_public.put(), nullptr, nullptr, nullptr);
  }));
  Transient owned(context, handle);
  BG_ASSIGN_OR_RETURN(tpm2::Public public_area, FromPublic(*out_public));
  return LoadedKey{std::move(owned), std::move(public_area)};
}

absl::Status Replaced() {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kTpmReplaced,
                "the endorsement key of the TPM in this machine is not the one that joined");
}

bool IsOwn(AkKind kind) { return kind == AkKind::kEcc || kind == AkKind::kRsa; }

absl::StatusOr<LoadedKey> MakeEk(Context& context, const PinnedEk& ek) {
  BG_ASSIGN_OR_RETURN(LoadedKey key,
                      CreatePrimary(context, tpm2::EkTemplateBytes(ek.ek_template())));
  if (!SameBytes(key.public_area.Name(), ek.name())) return Replaced();
  return key;
}

}  // namespace

const KeptKey* KeptKeys::Find(ByteView tpmt_template) const {
  const auto found = keys_.find(ToBytes(tpmt_template));
  return found == keys_.end() ? nullptr : &found->second;
}

void KeptKeys::Put(ByteView tpmt_template, KeptKey key) {
  if (keys_.size() >= kMost) keys_.clear();
  keys_.insert_or_assign(ToBytes(tpmt_template), std::move(key));
}

// The handle as ESYS knows it: with the public area that the TPM showed, whose Name is computed
// from that very area and not believed. nullopt: no object is there.
absl::StatusOr<std::optional<LoadedKey>> ReadPersistent(Context& context, TPM2_HANDLE number) {
  ESYS_TR handle = ESYS_TR_NONE;
  const absl::Status found = context.Call("TPM2_ReadPublic", [&] {
    return Esys_TR_FromTPMPublic(context.esys(), number, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &handle);
  });
  if (IsNoSuchHandle(context.last_rc())) return std::nullopt;
  BG_RETURN_IF_ERROR(found);
  LoadedKey key{Transient(context, handle, Transient::Ending::kForget), {}};
  Result<TPM2B_PUBLIC> area;
  BG_RETURN_IF_ERROR(context.Call("TPM2_ReadPublic", [&] {
    return Esys_ReadPublic(context.esys(), handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                           area.put(), nullptr, nullptr);
  }));
  absl::StatusOr<tpm2::Public> read = FromPublic(*area);
  if (!read.ok()) return std::nullopt;  // somebody else's object, of a kind that is not ours
  key.public_area = *std::move(read);
  return std::optional<LoadedKey>(std::move(key));
}

absl::StatusOr<LoadedKey> CreatePrimary(Context& context, ByteView tpmt_template) {
  BG_ASSIGN_OR_RETURN(std::optional<LoadedKey> again, LoadAgain(context, tpmt_template));
  if (again.has_value()) return *std::move(again);
  BG_ASSIGN_OR_RETURN(LoadedKey key, MakePrimary(context, tpmt_template));
  Keep(context, tpmt_template, key);
  return key;
}

absl::StatusOr<LoadedKey> LoadAk(Context& context, AkKind kind) {
  if (!IsOwn(kind)) return LoadCloudAk(context, kind);
  return CreatePrimary(context, tpm2::AkTemplateBytes(kind == AkKind::kEcc));
}

absl::StatusOr<tpm2::Public> AkPublic(Context& context, AkKind kind) {
  if (IsOwn(kind)) {
    const Bytes tpmt_template = tpm2::AkTemplateBytes(kind == AkKind::kEcc);
    if (const KeptKey* const kept = context.kept().Find(tpmt_template)) return kept->public_area;
  }
  BG_ASSIGN_OR_RETURN(LoadedKey key, LoadAk(context, kind));
  return std::move(key.public_area);
}

absl::Status CheckPinned(Context& context, const PinnedEk& ek) {
  if (std::optional<KnownEk> old = std::exchange(context.kept().known_ek, std::nullopt)) {
    Esys_TR_Close(context.esys(), &old->handle);
  }
  BG_ASSIGN_OR_RETURN(std::optional<LoadedKey> ready, FindPersistent(context, ek));
  if (!ready.has_value()) return MakeEk(context, ek).status();
  context.kept().known_ek = KnownEk{ready->handle.Release(), ToBytes(ek.name())};
  return absl::OkStatus();
}

absl::StatusOr<LoadedKey> LoadEk(Context& context, const PinnedEk& ek) {
  const std::optional<KnownEk>& known = context.kept().known_ek;
  if (known.has_value() && SameBytes(known->name, ek.name())) {
    return LoadedKey{Transient(context, known->handle, Transient::Ending::kKeep), {}};
  }
  BG_ASSIGN_OR_RETURN(std::optional<LoadedKey> ready, FindPersistent(context, ek));
  if (ready.has_value()) return *std::move(ready);
  return MakeEk(context, ek);
}

}  // namespace bootgate::agent::tpm::internal
