// Authorization policy digests, computed without a TPM.
//
// Implements: TPM 2.0 Part 3, 23 (policy commands); EK Credential Profile 2.5, B.6 (EK policies).
#pragma once

#include <optional>
#include <vector>

#include "common/registers/bank.h"
#include "common/registers/selection.h"

namespace bootgate::tpm2 {

// Starts at zeros; each assertion extends it as the TPM's policy session would.
class PolicyDigest {
 public:
  explicit PolicyDigest(crypto::HashAlg alg) : digest_(alg) {}

  PolicyDigest& Secret(ByteView entity_name, ByteView policy_ref = {});
  PolicyDigest& Pcr(const registers::Selection& selection, const crypto::Digest& pcr_digest);
  PolicyDigest& Or(const std::vector<crypto::Digest>& branches);    // restarts from zeros
  PolicyDigest& Authorize(ByteView key_name, ByteView policy_ref);  // restarts from zeros
  PolicyDigest& AuthorizeNv(ByteView nv_name);                      // restarts from zeros
  PolicyDigest& CommandCode(uint32_t code);
  PolicyDigest& AuthValue();

  const crypto::Digest& value() const { return digest_; }

 private:
  crypto::Digest digest_;
};

// H(values in selection order). nullopt when a selected register has no value in `banks`.
std::optional<crypto::Digest> PcrDigest(crypto::HashAlg alg, const registers::Selection& selection,
                                        const std::vector<registers::RegisterBank>& banks);

// The EK policies of the EK Credential Profile for a name algorithm (SHA-256, 384, 512): by the
// endorsement hierarchy's authorisation, by either of the other two, by a policy in an NV index.
crypto::Digest EkPolicyA(crypto::HashAlg alg);
crypto::Digest EkPolicyB(crypto::HashAlg alg);
crypto::Digest EkPolicyC(crypto::HashAlg alg);

}  // namespace bootgate::tpm2
