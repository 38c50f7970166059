// Test only: an attestation key in software that signs whatever it is told to, as a TPM would sign
// it and as no TPM ever would.
//
// Implements: TPM 2.0 Part 2, 10.12 (TPMS_ATTEST), 11.3 (TPMT_SIGNATURE), from the writer's side.
#pragma once

#include <vector>

#include "common/crypto/private_key.h"
#include "common/registers/bank.h"
#include "common/tpm2/quote.h"
#include "common/tpm2/soft_tpm/public_area.h"

namespace bootgate::tpm2::soft_tpm {

// A TPMS_ATTEST to be written. The defaults are a genuine quote's, all but signer and data.
struct AttestFields {
  uint32_t magic = kGenerated;
  AttestType type = AttestType::kQuote;
  Bytes qualified_signer;
  Bytes extra_data;
  ClockInfo clock = {.clock_ms = 100'000, .reset_count = 7, .restart_count = 0, .safe = true};
  uint64_t firmware_version = 0x0001000200030004;
  Bytes body;  // TPMU_ATTEST
};
Bytes AttestBytes(const AttestFields& fields);

// TPMS_QUOTE_INFO, TPMS_CERTIFY_INFO.
Bytes QuoteBody(const registers::Selection& selection, ByteView pcr_digest);
Bytes CertifyBody(ByteView name, ByteView qualified_name);

struct SignedAttest {
  Bytes attest;
  Bytes signature;  // TPMT_SIGNATURE
};

class SoftAk {
 public:
  static SoftAk Ecc(crypto::Curve curve = crypto::Curve::kP256);
  static SoftAk Rsa(Alg scheme = Alg::kRsassa);  // 2048 bits; kRsassa or kRsapss
  SoftAk(crypto::PrivateKey key, const AreaFields& fields);

  const Public& area() const { return area_; }
  const crypto::PrivateKey& key() const { return key_; }
  Bytes qualified_name() const;  // as a primary key of the endorsement hierarchy

  // Over any bytes, with the key's own scheme.
  Bytes Sign(ByteView message) const;  // TPMT_SIGNATURE
  SignedAttest SignAttest(const AttestFields& fields) const;

  // A genuine quote over the values in `banks`, all of which go along as values. Ends the program
  // when a selected register has no value.
  RawQuote Quote(const registers::Selection& selection,
                 const std::vector<registers::RegisterBank>& banks, ByteView qualifying_data,
                 const ClockInfo& clock = AttestFields().clock,
                 uint64_t firmware_version = AttestFields().firmware_version) const;

  // A genuine certification of `object`, a child of the owner's storage key.
  SignedAttest Certify(const Public& object, ByteView qualifying_data) const;

 private:
  crypto::PrivateKey key_;
  Public area_;
};

}  // namespace bootgate::tpm2::soft_tpm
