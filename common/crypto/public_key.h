// Public keys and signature checks. RSA 2048 to 4096 bits, P-256, P-384, P-521.
//
// Sizes are checked before any arithmetic: an oversized key costs nothing.
// A PublicKey is immutable; any thread may use it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "common/crypto/owners.h"

namespace bootgate::crypto {

// TPM_ECC_CURVE numbers (TPM 2.0 Part 2, 6.4).
enum class Curve : uint16_t { kP256 = 0x0003, kP384 = 0x0004, kP521 = 0x0005 };

size_t FieldSize(Curve curve);  // bytes: 32, 48, 66
std::optional<Curve> CurveFromTpm(uint16_t id);
const char* GroupName(Curve curve);  // "P-256", ..., as OpenSSL takes it

enum class SignatureScheme { kRsassa, kRsapss, kEcdsa };

class PublicKey {
 public:
  enum class Kind { kRsa, kEc };

  // Errors carry KEY_WEAK (short, even exponent, point not on the curve) or KEY_TOO_LARGE.
  // `exponent` 0 means 65537, as the TPM writes it.
  static absl::StatusOr<PublicKey> FromRsa(ByteView modulus, uint32_t exponent);
  static absl::StatusOr<PublicKey> FromEc(Curve curve, ByteView x, ByteView y);
  // DER SubjectPublicKeyInfo, nothing after it. Also accepts the id-RSAES-OAEP algorithm that some
  // TPM vendors write into EK certificates.
  static absl::StatusOr<PublicKey> FromSpkiDer(ByteView der);
  static absl::StatusOr<PublicKey> FromEvp(PkeyPtr key);

  Kind kind() const { return kind_; }
  int bits() const;
  std::optional<Curve> curve() const { return curve_; }  // EC only
  Bytes SpkiDer() const;
  // Big-endian, without leading zeros. An RSA key's only; kInvalidArgument for another.
  struct RsaParts {
    Bytes modulus, exponent;
  };
  absl::StatusOr<RsaParts> Rsa() const;
  // Padded to the field size. An EC key's only; kInvalidArgument for another.
  struct Point {
    Bytes x, y;
  };
  absl::StatusOr<Point> EcPoint() const;
  EVP_PKEY* get() const { return key_.get(); }  // borrowed

  // kUnauthenticated SIG_INVALID when it does not verify; SIG_SCHEME when scheme and key do not
  // fit. RSA: the signature as long as the modulus. ECDSA: DER.
  absl::Status Verify(SignatureScheme scheme, const Digest& digest, ByteView signature) const;
  // r and s as the TPM writes them: big-endian, at most the field size, both in 1..n-1.
  absl::Status VerifyEcdsa(const Digest& digest, ByteView r, ByteView s) const;

  friend bool operator==(const PublicKey& a, const PublicKey& b);

 private:
  explicit PublicKey(PkeyPtr rsa) : kind_(Kind::kRsa), key_(std::move(rsa)) {}
  PublicKey(Curve curve, ByteView point, PkeyPtr key)
      : kind_(Kind::kEc), curve_(curve), point_(ToBytes(point)), key_(std::move(key)) {}
  Kind kind_;
  std::optional<Curve> curve_;
  Bytes point_;                    // EC: uncompressed; asking OpenSSL again costs an inversion
  std::shared_ptr<EVP_PKEY> key_;  // shared: copies of an immutable key are the same key
};

}  // namespace bootgate::crypto
