#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "agent/tpm/internal/rc.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {
namespace {

constexpr TPM2_HANDLE kFirstChainIndex = 0x01c00100;
constexpr TPM2_HANDLE kMaxChainIndexes = 8;  // what the gatekeeper takes

constexpr uint16_t kSmallestNvBuffer = 512;  // bytes; what every PC client TPM gives at once

struct NvIndex {
  uint16_t size_bytes = 0;
  bool by_owner = false;  // read by the owner's authorisation, not by the index' own
};

absl::StatusOr<NvIndex> ReadNvPublic(Context& context, const Reference& index) {
  Result<TPM2B_NV_PUBLIC> found;
  BG_RETURN_IF_ERROR(context.Call("TPM2_NV_ReadPublic", [&] {
    return Esys_NV_ReadPublic(context.esys(), index.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              found.put(), nullptr);
  }));
  const TPMS_NV_PUBLIC& area = found->nvPublic;
  if (area.dataSize > kMaxEkCertificate) {
    return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTpm,
                  absl::StrCat("NV index 0x", absl::Hex(area.nvIndex, absl::kZeroPad8), " of ",
                               area.dataSize, " bytes"));
  }
  return NvIndex{area.dataSize, (area.attributes & TPMA_NV_AUTHREAD) == 0};
}

absl::StatusOr<Bytes> ReadNv(Context& context, const Reference& index, const NvIndex& area) {
  BG_ASSIGN_OR_RETURN(const std::optional<uint32_t> limit,
                      ReadProperty(context, TPM2_PT_NV_BUFFER_MAX));
  const uint32_t chunk =
      std::clamp<uint32_t>(limit.value_or(kSmallestNvBuffer), 1, TPM2_MAX_NV_BUFFER_SIZE);
  const ESYS_TR authority = area.by_owner ? ESYS_TR_RH_OWNER : index.get();
  Bytes all;
  while (all.size() < area.size_bytes) {
    const auto offset = static_cast<UINT16>(all.size());
    const auto size = static_cast<UINT16>(std::min<uint32_t>(chunk, area.size_bytes - offset));
    Result<TPM2B_MAX_NV_BUFFER> part;
    BG_RETURN_IF_ERROR(context.Call("TPM2_NV_Read", [&] {
      return Esys_NV_Read(context.esys(), authority, index.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                          ESYS_TR_NONE, size, offset, part.put());
    }));
    if (part->size != size) return absl::InternalError("TPM2_NV_Read: short answer");
    const Bytes bytes = FromTpm2b(*part, &TPM2B_MAX_NV_BUFFER::buffer);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

}  // namespace

absl::StatusOr<std::optional<Bytes>> ReadNvIndex(Context& context, TPM2_HANDLE number) {
  ESYS_TR handle = ESYS_TR_NONE;
  const absl::Status found = context.Call("TPM2_NV_ReadPublic", [&] {
    return Esys_TR_FromTPMPublic(context.esys(), number, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &handle);
  });
  if (IsNoSuchHandle(context.last_rc())) return std::nullopt;
  BG_RETURN_IF_ERROR(found);
  const Reference index(context, handle);
  BG_ASSIGN_OR_RETURN(const NvIndex area, ReadNvPublic(context, index));
  BG_ASSIGN_OR_RETURN(Bytes bytes, ReadNv(context, index, area));
  return std::optional<Bytes>(std::move(bytes));
}

absl::StatusOr<std::vector<EkCertificate>> EkCertificates(Context& context) {
  std::vector<EkCertificate> certificates;
  for (const tpm2::EkTemplate which : tpm2::kEkTemplates) {
    BG_ASSIGN_OR_RETURN(std::optional<Bytes> der,
                        ReadNvIndex(context, tpm2::CertificateNvIndex(which)));
    if (der.has_value()) certificates.push_back({which, *std::move(der)});
  }
  return certificates;
}

absl::StatusOr<std::vector<Bytes>> EkChain(Context& context) {
  std::vector<Bytes> chain;
  for (TPM2_HANDLE number = kFirstChainIndex; number < kFirstChainIndex + kMaxChainIndexes;
       ++number) {
    BG_ASSIGN_OR_RETURN(std::optional<Bytes> contents, ReadNvIndex(context, number));
    if (!contents.has_value()) break;  // they are filled from the first on
    chain.push_back(*std::move(contents));
  }
  return chain;
}

}  // namespace bootgate::agent::tpm::internal
