// What a sealed credential holds, and how it is closed under the key that the TPM unseals.
//
// Form, integers big-endian, every field with a 32-bit length before it:
//     u32 version = 1, chain, private key, u32 number of secrets, then name and value of each,
//     names in strictly ascending order.
// Closed with AES-256-GCM (crypto::AeadSeal); host id and serial are bound as associated data, so a
// payload of another host or another certificate does not open.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/base/secret_bytes.h"

namespace bootgate::evidence {

inline constexpr size_t kSealedKeySize = 32;       // bytes, AES-256
inline constexpr size_t kMaxPayloadChain = 65536;  // bytes
inline constexpr size_t kMaxPayloadKey = 16384;    // bytes
inline constexpr size_t kMaxPayloadSecrets = 64;
inline constexpr size_t kMaxPayloadSecretName = 128;    // bytes
inline constexpr size_t kMaxPayloadSecretSize = 65536;  // bytes

struct SealedPayload {
  std::string chain_pem;        // leaf, then issuing CA
  SecretBytes private_key_pem;  // PKCS#8
  std::map<std::string, SecretBytes> secrets;
};

// kInvalidArgument: a part beyond its bound.
absl::StatusOr<SecretBytes> Encode(const SealedPayload& payload);
// kInvalidArgument, kOutOfRange: another version, cut, a part beyond its bound, names out of order,
// bytes after the end.
absl::StatusOr<SealedPayload> DecodeSealedPayload(ByteView encoded);

// `key`: kSealedKeySize bytes. `serial_hex`: of the leaf, 32 lower-case digits.
absl::StatusOr<Bytes> ClosePayload(const SecretBytes& key, const std::string& host_id,
                                   const std::string& serial_hex, const SealedPayload& payload);
absl::StatusOr<SealedPayload> OpenPayload(const SecretBytes& key, const std::string& host_id,
                                          const std::string& serial_hex, ByteView closed);

}  // namespace bootgate::evidence
