// Wrapping for one TPM, done in software: credentials (TPM2_MakeCredential) and sealed objects
// (the blobs that TPM2_Import takes).
//
// Implements: TPM 2.0 Part 1, 23.3 (outer wrap), 24 (credential protection).
#pragma once

#include "absl/status/statusor.h"
#include "common/base/secret_bytes.h"
#include "common/tpm2/public.h"

namespace bootgate::tpm2 {

struct CredentialBlob {
  Bytes id_object;         // contents of TPM2B_ID_OBJECT, without its size
  Bytes encrypted_secret;  // contents of TPM2B_ENCRYPTED_SECRET, without its size
};

// `credential` at most the digest size of the EK's name algorithm. `name`: of the key that the
// credential is bound to. Errors: KEY_WEAK and the like for an unfit EK.
absl::StatusOr<CredentialBlob> MakeCredential(const Public& ek, ByteView name,
                                              const SecretBytes& credential);

struct ImportBlob {
  Bytes object_public;  // TPMT_PUBLIC of the sealed object
  Bytes duplicate;      // contents of TPM2B_PRIVATE
  Bytes in_sym_seed;    // contents of TPM2B_ENCRYPTED_SECRET
};

inline constexpr size_t kMaxSealedData = 128;  // bytes, what TPMs take

// Data sealed to `parent` (an EK) under `auth_policy` (a SHA-256 policy digest, never empty). Only
// the TPM with that EK, in a state that satisfies the policy, can unseal it. The object's
// attributes are noDA alone: no password opens it.
absl::StatusOr<ImportBlob> SealForImport(const Public& parent, ByteView auth_policy,
                                         const SecretBytes& data);

// The two with their random choices given: for test vectors only. The padding of RSA secrets stays
// random.
struct FixedRandomness {
  Bytes seed;               // RSA parents
  Bytes ephemeral_private;  // ECC parents, big-endian scalar
  Bytes obfuscation;        // SealForImport: seedValue
};
absl::StatusOr<CredentialBlob> MakeCredentialForTest(const Public& ek, ByteView name,
                                                     const SecretBytes& credential,
                                                     const FixedRandomness& fixed);
absl::StatusOr<ImportBlob> SealForImportForTest(const Public& parent, ByteView auth_policy,
                                                const SecretBytes& data,
                                                const FixedRandomness& fixed);

}  // namespace bootgate::tpm2
