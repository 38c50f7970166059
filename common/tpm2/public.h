// Public areas of TPM objects, and their Names, without a TPM.
//
// Implements: TPM 2.0 Part 2, 12.2 (TPMT_PUBLIC, TPM2B_PUBLIC); Part 1, 16 (Names).
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "common/crypto/public_key.h"

namespace bootgate::tpm2 {

// TPM_ALG_ID values that a public area can name.
enum class Alg : uint16_t {
  kRsa = 0x0001,
  kHmac = 0x0005,
  kAes = 0x0006,
  kKeyedHash = 0x0008,
  kNull = 0x0010,
  kRsassa = 0x0014,
  kRsaes = 0x0015,
  kRsapss = 0x0016,
  kOaep = 0x0017,
  kEcdsa = 0x0018,
  kEcdaa = 0x001a,
  kEcc = 0x0023,
  kCfb = 0x0043,
};

// TPMA_OBJECT bits (Part 2, 8.3).
namespace attribute {
inline constexpr uint32_t kFixedTpm = 1u << 1, kStClear = 1u << 2, kFixedParent = 1u << 4,
                          kSensitiveDataOrigin = 1u << 5, kUserWithAuth = 1u << 6,
                          kAdminWithPolicy = 1u << 7, kNoDa = 1u << 10,
                          kEncryptedDuplication = 1u << 11, kRestricted = 1u << 16,
                          kDecrypt = 1u << 17, kSign = 1u << 18;
}  // namespace attribute

// One parsed TPMT_PUBLIC. The raw bytes are kept: the Name is the hash of what was sent.
struct Public {
  Bytes raw;              // TPMT_PUBLIC
  Alg type = Alg::kNull;  // kRsa, kEcc, kKeyedHash
  crypto::HashAlg name_alg = crypto::HashAlg::kSha256;
  uint32_t attributes = 0;
  Bytes auth_policy;  // empty, or a digest of name_alg
  // Symmetric part of a storage key; 0 when TPM_ALG_NULL.
  uint16_t symmetric_bits = 0;                 // AES key bits, mode CFB
  Alg scheme = Alg::kNull;                     // signing (or decryption) scheme
  std::optional<crypto::HashAlg> scheme_hash;  // of a signing scheme
  uint16_t rsa_bits = 0;
  uint32_t rsa_exponent = 0;  // 0: 65537
  Bytes rsa_modulus;
  std::optional<crypto::Curve> curve;
  Bytes x, y;  // ECC point as sent
  Bytes keyed_hash_unique;

  // kInvalidArgument/kOutOfRange with TPM_MARSHAL and the offset: cut, trailing bytes, unknown or
  // inconsistent parts.
  static absl::StatusOr<Public> FromTpmt(ByteView tpmt);
  static absl::StatusOr<Public> FromTpm2b(ByteView tpm2b);  // 16-bit size, then TPMT_PUBLIC

  // `raw` without the key at its end: what a template fixes (TPMT_PUBLIC up to `unique`). Borrows.
  ByteView WithoutUnique() const;

  Bytes Tpm2b() const;
  Bytes Name() const;                             // nameAlg || H_nameAlg(raw)
  absl::StatusOr<crypto::PublicKey> Key() const;  // RSA and ECC; KEY_WEAK, KEY_TOO_LARGE
};

// QN = nameAlg || H(parent_qualified_name || name), Part 1, 16.  For a primary key the parent's
// qualified name is the hierarchy's handle in 4 bytes.
Bytes QualifiedName(ByteView parent_qualified_name, const Public& object);
inline constexpr uint32_t kRhOwner = 0x40000001, kRhEndorsement = 0x4000000b, kRhNull = 0x40000007;
Bytes HandleName(uint32_t handle);  // 4 bytes, big-endian

}  // namespace bootgate::tpm2
