// States that a key approves: TPM2_PolicyAuthorize from the side of who signs, and the check of it.
//
// An object whose policy is AuthorizedPolicy opens in every state that the key has approved for the
// policy reference, also in one that was approved after the object was made.
//
// Implements: TPM 2.0 Part 3, 23.16 (TPM2_PolicyAuthorize), 20.1 (TPM2_VerifySignature).
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "common/crypto/private_key.h"
#include "common/tpm2/public.h"

namespace bootgate::tpm2 {

inline constexpr size_t kMaxPolicyRef = 64;  // bytes, what TPMs take

// TPMT_PUBLIC of an approving key, as TPM2_LoadExternal takes it: P-256, ECDSA with SHA-256, sign
// alone. KEY_WEAK for a key that is not P-256.
absl::StatusOr<Bytes> ApprovingKeyArea(const crypto::PublicKey& key);

// The policy digest (SHA-256) of an object that such a key opens.
Bytes AuthorizedPolicy(ByteView key_name, ByteView policy_ref);

// ECDSA over a SHA-256 digest, in DER; of a key that may be anywhere.
using DigestSigner = std::function<absl::StatusOr<Bytes>(const crypto::Digest&)>;

// TPMT_SIGNATURE over H(approved policy || reference).
absl::StatusOr<Bytes> SignApproval(const DigestSigner& sign, ByteView approved_policy,
                                   ByteView policy_ref);
absl::StatusOr<Bytes> SignApproval(const crypto::PrivateKey& key, ByteView approved_policy,
                                   ByteView policy_ref);

// SEAL_APPROVAL: not signed by this key, or for another state or reference; or no key that may
// approve anything.
absl::Status CheckApproval(const Public& key, ByteView approved_policy, ByteView policy_ref,
                           ByteView tpmt_signature);

}  // namespace bootgate::tpm2
