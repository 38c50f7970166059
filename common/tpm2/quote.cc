#include "common/tpm2/quote.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/secret_bytes.h"
#include "common/base/status_macros.h"
#include "common/tpm2/policy_digest.h"

namespace bootgate::tpm2 {
namespace {

using registers::RegisterBank;
using registers::Selection;

absl::Status Refused(Reason reason, absl::string_view why) { return NotAuthentic(reason, why); }

absl::Status CheckSigner(ByteView expected, const AttestHeader& header) {
  if (expected.empty() || SameBytes(expected, header.qualified_signer)) return absl::OkStatus();
  return Refused(
      Reason::kAkQualifiedName,
      absl::StrCat("signed by ", ToHex(header.qualified_signer), ", expected ", ToHex(expected)));
}

absl::Status CheckQualifyingData(ByteView expected, ByteView extra_data) {
  if (extra_data.empty()) return Refused(Reason::kNonceAbsent, "the quote has no qualifying data");
  if (SameInConstantTime(expected, extra_data)) return absl::OkStatus();
  return Refused(Reason::kNonceMismatch,
                 absl::StrCat("qualifying data of ", extra_data.size(), " bytes is not ours"));
}

// The registers of `in` that `from` lacks, as text; empty when there are none.
std::string Lacking(const Selection& in, const Selection& from) {
  Selection out;
  for (const registers::BankSelection& bank : in) {
    const uint32_t mask = bank.mask & ~registers::MaskOf(from, bank.alg);
    if (mask != 0) out.push_back({bank.alg, mask});
  }
  return registers::Format(out);
}

absl::Status CheckSelection(const Selection& asked, const Selection& quoted) {
  if (registers::IsEmpty(quoted)) {
    return Refused(Reason::kQuoteSelectionEmpty, "the quote covers no register");
  }
  if (asked == quoted) return absl::OkStatus();
  const std::string missing = Lacking(asked, quoted);
  const std::string extra = Lacking(quoted, asked);
  if (missing.empty() && extra.empty()) {
    return Refused(Reason::kQuoteSelectionMismatch,
                   absl::StrCat("banks in another order or form: ", registers::Format(quoted)));
  }
  return Refused(Reason::kQuoteSelectionMismatch,
                 absl::StrCat("missing ", missing.empty() ? "none" : missing, "; extra ",
                              extra.empty() ? "none" : extra));
}

RegisterBank* BankOf(std::vector<RegisterBank>& banks, crypto::HashAlg alg) {
  const auto bank =
      std::ranges::find_if(banks, [alg](const RegisterBank& b) { return b.alg() == alg; });
  return bank == banks.end() ? nullptr : &*bank;
}

std::string Label(const UntrustedPcr& pcr) {
  return absl::StrCat(crypto::Name(pcr.bank), ":", pcr.index);
}

absl::Status PlaceValue(const UntrustedPcr& pcr, const Selection& quoted,
                        std::vector<RegisterBank>& banks) {
  const bool selected =
      pcr.index < registers::kCount && (registers::MaskOf(quoted, pcr.bank) >> pcr.index & 1u) != 0;
  RegisterBank* const bank = BankOf(banks, pcr.bank);
  if (!selected || bank == nullptr) {
    return Refused(Reason::kPcrNotQuoted, absl::StrCat("a value for ", Label(pcr)));
  }
  if (bank->Has(pcr.index)) {
    return Refused(Reason::kQuoteDigestMismatch, absl::StrCat("two values for ", Label(pcr)));
  }
  const absl::StatusOr<crypto::Digest> value = crypto::Digest::From(pcr.bank, pcr.value);
  if (!value.ok()) {
    return Refused(Reason::kQuoteDigestMismatch,
                   absl::StrCat(Label(pcr), ": ", value.status().message()));
  }
  bank->Set(pcr.index, *value);
  return absl::OkStatus();
}

// Walks the *signed* selection: which register a value belongs to is never the host's word alone.
absl::StatusOr<std::vector<RegisterBank>> PlaceValues(const std::vector<UntrustedPcr>& values,
                                                      const Selection& quoted) {
  std::vector<RegisterBank> banks;
  banks.reserve(quoted.size());
  for (const registers::BankSelection& bank : quoted) {
    if (bank.mask != 0) banks.emplace_back(bank.alg);
  }
  for (const UntrustedPcr& pcr : values) BG_RETURN_IF_ERROR(PlaceValue(pcr, quoted, banks));
  return banks;
}

absl::Status CheckDigest(crypto::HashAlg alg, const QuoteInfo& quote,
                         const std::vector<RegisterBank>& banks) {
  const std::optional<crypto::Digest> digest = PcrDigest(alg, quote.selection, banks);
  if (!digest.has_value()) {
    return Refused(Reason::kQuoteDigestMismatch, "a quoted register has no value");
  }
  if (SameBytes(digest->view(), quote.pcr_digest)) return absl::OkStatus();
  return Refused(Reason::kQuoteDigestMismatch, "the values do not hash to the quoted digest");
}

bool IsMarshalError(const absl::Status& status) { return ReasonOf(status) == Reason::kTpmMarshal; }

// The signed body, proven to come from the asked key. What is no quote is told only about bytes
// that the key did sign.
absl::StatusOr<QuoteInfo> Authentic(const Public& ak, const RawQuote& quote) {
  absl::StatusOr<QuoteInfo> info = ParseQuote(quote.attest);
  if (!info.ok() && IsMarshalError(info.status())) return info;
  BG_ASSIGN_OR_RETURN(const Signature signature, ParseSignature(quote.signature));
  BG_RETURN_IF_ERROR(VerifySignature(ak, quote.attest, signature));
  return info;
}

}  // namespace

absl::StatusOr<QuotedPcrs> QuotedPcrs::Verify(const QuoteQuestion& question,
                                              const RawQuote& quote) {
  BG_ASSIGN_OR_RETURN(QuoteInfo info, Authentic(question.ak, quote));
  BG_RETURN_IF_ERROR(CheckSigner(question.ak_qualified_name, info.header));
  BG_RETURN_IF_ERROR(CheckQualifyingData(question.qualifying_data, info.header.extra_data));
  BG_RETURN_IF_ERROR(CheckSelection(question.selection, info.selection));
  QuotedPcrs out;
  BG_ASSIGN_OR_RETURN(out.banks_, PlaceValues(quote.values, info.selection));
  // The signature held, so the key has a signing scheme with a hash.
  BG_RETURN_IF_ERROR(CheckDigest(*question.ak.scheme_hash, info, out.banks_));
  out.selection_ = std::move(info.selection);
  out.header_ = std::move(info.header);
  return out;
}

const RegisterBank* QuotedPcrs::Bank(crypto::HashAlg alg) const {
  const auto bank =
      std::ranges::find_if(banks_, [alg](const RegisterBank& b) { return b.alg() == alg; });
  return bank == banks_.end() ? nullptr : &*bank;
}

}  // namespace bootgate::tpm2
