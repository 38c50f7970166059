#include "absl/strings/str_cat.h"
#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/status_macros.h"
#include "common/tpm2/policy_digest.h"

namespace bootgate::agent::tpm::internal {
namespace {

absl::StatusOr<tpm2::RawQuote> QuoteOnce(Context& context, const LoadedKey& ak,
                                         const registers::Selection& selection,
                                         ByteView qualifying_data) {
  BG_ASSIGN_OR_RETURN(const TPML_PCR_SELECTION pcrs, ToSelection(selection));
  BG_ASSIGN_OR_RETURN(const TPM2B_DATA data, ToTpm2b(qualifying_data, &TPM2B_DATA::buffer));
  const TPMT_SIG_SCHEME own_scheme = {.scheme = TPM2_ALG_NULL};
  Result<TPM2B_ATTEST> attest;
  Result<TPMT_SIGNATURE> signature;
  BG_RETURN_IF_ERROR(context.Call("TPM2_Quote", [&] {
    return Esys_Quote(context.esys(), ak.handle.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                      &data, &own_scheme, &pcrs, attest.put(), signature.put());
  }));
  tpm2::RawQuote quote;
  quote.attest = FromTpm2b(*attest, &TPM2B_ATTEST::attestationData);
  BG_ASSIGN_OR_RETURN(quote.signature, MarshalSignature(*signature));
  return quote;
}

void AddValues(const registers::Selection& selection,
               const std::vector<registers::RegisterBank>& banks, tpm2::RawQuote& quote) {
  for (size_t i = 0; i < selection.size() && i < banks.size(); ++i) {
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      if ((selection[i].mask >> index & 1) == 0) continue;
      if (const auto value = banks[i].Get(index); value.has_value()) {
        quote.values.push_back({banks[i].alg(), index, ToBytes(value->view())});
      }
    }
  }
}

}  // namespace

absl::StatusOr<tpm2::RawQuote> Quote(Context& context, AkKind kind,
                                     const registers::Selection& selection,
                                     ByteView qualifying_data) {
  BG_RETURN_IF_ERROR(CheckAllocated(context, selection));
  BG_ASSIGN_OR_RETURN(const LoadedKey ak, LoadAk(context, kind));
  const crypto::HashAlg alg = ak.public_area.scheme_hash.value_or(crypto::HashAlg::kSha256);
  for (int attempt = 0; attempt < context.options().pcr_changed_attempts; ++attempt) {
    BG_ASSIGN_OR_RETURN(const std::vector<registers::RegisterBank> banks,
                        ReadRegisters(context, selection));
    BG_ASSIGN_OR_RETURN(tpm2::RawQuote quote, QuoteOnce(context, ak, selection, qualifying_data));
    BG_ASSIGN_OR_RETURN(const tpm2::QuoteInfo info, tpm2::ParseQuote(quote.attest));
    const auto expected = tpm2::PcrDigest(alg, selection, banks);
    if (!expected.has_value() || !SameBytes(expected->view(), info.pcr_digest)) continue;
    AddValues(selection, banks, quote);
    return quote;
  }
  return Refuse(absl::StatusCode::kAborted, Reason::kTpmPcrChanged,
                "TPM2_Quote: registers kept moving between reading and quoting");
}

}  // namespace bootgate::agent::tpm::internal
