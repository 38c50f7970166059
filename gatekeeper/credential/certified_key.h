// Is this key the one that the host's AK certified, and does it work in the attested state alone?
//
// Implements: TPM 2.0 Part 3, 18.2 (TPM2_Certify) from the verifier's side.
#pragma once

#include "absl/status/statusor.h"
#include "common/evidence/evidence.h"
#include "common/tpm2/attest.h"

namespace bootgate::gatekeeper::credential {

struct CertifyQuestion {
  const tpm2::Public& ak;    // the enrolled attestation key
  ByteView qualifying_data;  // what extraData must be, byte for byte
  ByteView auth_policy;      // PolicyPCR over the attested registers
};

// The key. Errors in the order of the checks: TPM_MARSHAL, SIG_SCHEME, KEY_NOT_ATTESTED
// (signature), CERTIFY_MAGIC, CERTIFY_TYPE, KEY_NOT_ATTESTED (other question, other key),
// KEY_ATTRIBUTES, KEY_POLICY, KEY_WEAK, KEY_TOO_LARGE.
absl::StatusOr<crypto::PublicKey> CheckCertifiedKey(const CertifyQuestion& question,
                                                    const evidence::CertifiedKey& key);

}  // namespace bootgate::gatekeeper::credential
