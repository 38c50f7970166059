// The TPM's key derivation functions, HMAC, and the two ciphers that we use.
//
// Implements: TPM 2.0 Part 1, 11.4.10.2 (KDFa) and 11.4.10.3 (KDFe).
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/secret_bytes.h"
#include "common/crypto/hash.h"

namespace bootgate::crypto {

Digest Hmac(HashAlg alg, ByteView key, std::initializer_list<ByteView> parts);

// `label` without its NUL. The first byte is masked when `bits` is no multiple of 8.
SecretBytes KdfA(HashAlg alg, ByteView key, absl::string_view label, ByteView context_u,
                 ByteView context_v, size_t bits);
// `z` and both party values padded to the field size by the caller.
SecretBytes KdfE(HashAlg alg, ByteView z, absl::string_view use, ByteView party_u, ByteView party_v,
                 size_t bits);

// AES in CFB mode, key of 16 or 32 bytes, zero IV: how the TPM wraps (Part 1, 24 and 23.3).
absl::StatusOr<Bytes> AesCfbEncrypt(ByteView key, ByteView plain);
absl::StatusOr<SecretBytes> AesCfbDecrypt(ByteView key, ByteView cipher);

// AES-256-GCM. Sealed form: nonce(12) || ciphertext || tag(16).
absl::StatusOr<Bytes> AeadSeal(ByteView key, ByteView plain, ByteView associated);
absl::StatusOr<SecretBytes> AeadOpen(ByteView key, ByteView sealed, ByteView associated);

}  // namespace bootgate::crypto
