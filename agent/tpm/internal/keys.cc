#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {

absl::StatusOr<LoadedKey> CreatePrimary(Context& context, ByteView tpmt_template) {
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

absl::StatusOr<LoadedKey> LoadAk(Context& context, AkKind kind) {
  return CreatePrimary(context, tpm2::AkTemplateBytes(kind == AkKind::kEcc));
}

absl::StatusOr<LoadedKey> LoadEk(Context& context, const PinnedEk& ek) {
  BG_ASSIGN_OR_RETURN(LoadedKey key,
                      CreatePrimary(context, tpm2::EkTemplateBytes(ek.ek_template())));
  if (!SameBytes(key.public_area.Name(), ek.name())) {
    return NotAuthentic(Reason::kEkCertKeyMismatch,
                        "the endorsement key that the TPM shows is not the pinned one");
  }
  return key;
}

}  // namespace bootgate::agent::tpm::internal
