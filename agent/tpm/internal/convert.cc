#include "agent/tpm/internal/convert.h"

#include <tss2/tss2_mu.h>

#include "agent/tpm/internal/rc.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {
namespace {

constexpr UINT8 kSelectBytes = 3;  // 24 registers

}  // namespace

absl::StatusOr<TPM2B_PUBLIC> ToPublic(ByteView tpmt_public) {
  TPM2B_PUBLIC out = {};
  size_t offset = 0;
  const TSS2_RC rc = Tss2_MU_TPMT_PUBLIC_Unmarshal(tpmt_public.data(), tpmt_public.size(), &offset,
                                                   &out.publicArea);
  if (rc != TSS2_RC_SUCCESS || offset != tpmt_public.size()) {
    return Malformed(Reason::kTpmMarshal, "public area");
  }
  return out;
}

absl::StatusOr<tpm2::Public> FromPublic(const TPM2B_PUBLIC& in) {
  Bytes bytes(sizeof(TPMT_PUBLIC));
  size_t size = 0;
  BG_RETURN_IF_ERROR(
      StatusFor("TPMT_PUBLIC",
                Tss2_MU_TPMT_PUBLIC_Marshal(&in.publicArea, bytes.data(), bytes.size(), &size)));
  return tpm2::Public::FromTpmt(ByteView(bytes).first(size));
}

absl::StatusOr<Bytes> MarshalSignature(const TPMT_SIGNATURE& in) {
  Bytes bytes(sizeof(TPMT_SIGNATURE));
  size_t size = 0;
  BG_RETURN_IF_ERROR(StatusFor(
      "TPMT_SIGNATURE", Tss2_MU_TPMT_SIGNATURE_Marshal(&in, bytes.data(), bytes.size(), &size)));
  bytes.resize(size);
  return bytes;
}

absl::StatusOr<TPMT_SIGNATURE> ToSignature(ByteView tpmt_signature) {
  TPMT_SIGNATURE out = {};
  size_t offset = 0;
  const TSS2_RC rc =
      Tss2_MU_TPMT_SIGNATURE_Unmarshal(tpmt_signature.data(), tpmt_signature.size(), &offset, &out);
  if (rc != TSS2_RC_SUCCESS || offset != tpmt_signature.size()) {
    return Malformed(Reason::kTpmMarshal, "signature");
  }
  return out;
}

absl::StatusOr<TPML_PCR_SELECTION> ToSelection(const registers::Selection& selection) {
  TPML_PCR_SELECTION out = {};
  if (selection.size() > std::size(out.pcrSelections)) {
    return Malformed(Reason::kTpm, "too many banks in a selection");
  }
  for (const registers::BankSelection& bank : selection) {
    TPMS_PCR_SELECTION& entry = out.pcrSelections[out.count++];
    entry.hash = static_cast<TPMI_ALG_HASH>(bank.alg);
    entry.sizeofSelect = kSelectBytes;
    for (unsigned i = 0; i < kSelectBytes; ++i) {
      entry.pcrSelect[i] = static_cast<BYTE>(bank.mask >> (8 * i));
    }
  }
  return out;
}

registers::Selection FromSelection(const TPML_PCR_SELECTION& in) {
  registers::Selection out;
  for (UINT32 i = 0; i < in.count && i < std::size(in.pcrSelections); ++i) {
    const TPMS_PCR_SELECTION& entry = in.pcrSelections[i];
    const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromTpm(entry.hash);
    uint32_t mask = 0;
    for (unsigned j = 0; j < kSelectBytes && j < entry.sizeofSelect; ++j) {
      mask |= static_cast<uint32_t>(entry.pcrSelect[j]) << (8 * j);
    }
    if (alg.has_value() && mask != 0) out.push_back({*alg, mask});
  }
  return out;
}

}  // namespace bootgate::agent::tpm::internal
