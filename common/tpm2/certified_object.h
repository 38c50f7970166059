// A key that an attestation key has certified: TPM2_Certify from the verifier's side.
//
// Implements: TPM 2.0 Part 3, 18.2 (TPM2_Certify).
#pragma once

#include "absl/status/statusor.h"
#include "common/tpm2/attest.h"
#include "common/tpm2/public.h"

namespace bootgate::tpm2 {

struct CertifyQuestion {
  const Public& ak;          // the enrolled attestation key
  ByteView qualifying_data;  // what extraData must be, byte for byte
};

// As it was sent.
struct RawCertification {
  ByteView public_area;  // TPM2B_PUBLIC
  ByteView attest;       // TPMS_ATTEST
  ByteView signature;    // TPMT_SIGNATURE
};

// There is no public constructor: holding one is the proof that this key lies in the TPM of that
// attestation key, with these attributes, and was certified for this question. Whether the
// attributes are fit is for the holder to judge.
class CertifiedObject {
 public:
  // Errors in the order of the checks: TPM_MARSHAL, SIG_SCHEME, KEY_NOT_ATTESTED (signature),
  // CERTIFY_MAGIC, CERTIFY_TYPE, KEY_NOT_ATTESTED (other question, other key), KEY_WEAK (also for
  // what is no RSA or ECC key), KEY_TOO_LARGE.
  static absl::StatusOr<CertifiedObject> Verify(const CertifyQuestion& question,
                                                const RawCertification& certification);

  const Public& area() const { return area_; }
  const crypto::PublicKey& key() const { return key_; }

 private:
  CertifiedObject(Public area, crypto::PublicKey key)
      : area_(std::move(area)), key_(std::move(key)) {}
  Public area_;
  crypto::PublicKey key_;
};

}  // namespace bootgate::tpm2
