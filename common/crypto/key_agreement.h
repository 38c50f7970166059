// Secrets for the holder of a public key: RSA-OAEP, and ECDH with a one-time key.
//
// Implements: RFC 8017, 7.1 (OAEP); NIST SP 800-56A, 6.2.2 (one-pass Diffie-Hellman), as TPM 2.0
// Part 1, B.10.2 and C.6.1 use them.
#pragma once

#include "absl/status/statusor.h"
#include "common/base/secret_bytes.h"
#include "common/crypto/public_key.h"

namespace bootgate::crypto {

// `label` byte for byte (the TPM counts its NUL). `alg` serves OAEP and its mask generation.
absl::StatusOr<Bytes> RsaOaepEncrypt(const PublicKey& key, HashAlg alg, ByteView label,
                                     ByteView plain);

struct Agreement {
  SecretBytes z;  // x of the shared point, padded to the field size
  Bytes x, y;     // the one-time public key, padded likewise
};

// Agrees with the holder of `key`, an EC key, by a fresh one-time key.
absl::StatusOr<Agreement> AgreeWith(const PublicKey& key);

// The same with the one-time key given as a big-endian scalar: for test vectors only.
absl::StatusOr<Agreement> AgreeWithForTest(const PublicKey& key, ByteView one_time_private);

}  // namespace bootgate::crypto
