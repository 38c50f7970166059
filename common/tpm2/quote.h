// Quoted registers: what a TPM signed for our question. A proof type.
//
// Implements: TPM 2.0 Part 3, 18.4 (TPM2_Quote) from the verifier's side.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "common/registers/bank.h"
#include "common/tpm2/attest.h"

namespace bootgate::tpm2 {

// A register value as the host sent it beside the quote; believed only after Verify.
struct UntrustedPcr {
  crypto::HashAlg bank = crypto::HashAlg::kSha256;
  uint32_t index = 0;
  Bytes value;
};

struct RawQuote {
  Bytes attest;     // TPMS_ATTEST
  Bytes signature;  // TPMT_SIGNATURE
  std::vector<UntrustedPcr> values;
};

struct QuoteQuestion {
  const Public& ak;                       // the enrolled attestation key
  ByteView ak_qualified_name;             // expected signer; empty: not checked (offline evidence)
  const registers::Selection& selection;  // what was asked
  ByteView qualifying_data;               // what extraData must be, byte for byte
};

// Holding one proves: the signature holds under the asked key, a TPM made it, the selection is the
// asked one, the qualifying data is ours, and each value is covered by the signed digest.
class QuotedPcrs {
 public:
  // Errors carry, in the order of the checks: TPM_MARSHAL, SIG_SCHEME, SIG_INVALID, QUOTE_MAGIC,
  // QUOTE_TYPE, AK_QUALIFIED_NAME, NONCE_ABSENT, NONCE_MISMATCH, QUOTE_SELECTION_EMPTY,
  // QUOTE_SELECTION_MISMATCH (names missing and extra registers), PCR_NOT_QUOTED (a value for a
  // register outside the signed selection), QUOTE_DIGEST_MISMATCH (also: a value missing or twice).
  static absl::StatusOr<QuotedPcrs> Verify(const QuoteQuestion& question, const RawQuote& quote);

  const std::vector<registers::RegisterBank>& banks() const { return banks_; }
  const registers::RegisterBank* Bank(crypto::HashAlg alg) const;  // nullptr: bank not quoted
  const registers::Selection& selection() const { return selection_; }
  const AttestHeader& header() const { return header_; }

 private:
  QuotedPcrs() = default;
  std::vector<registers::RegisterBank> banks_;
  registers::Selection selection_;
  AttestHeader header_;
};

}  // namespace bootgate::tpm2
