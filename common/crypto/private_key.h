// Private keys in software: the internal CA's, TLS keys, test keys. Never a TPM's.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/secret_bytes.h"
#include "common/crypto/public_key.h"

namespace bootgate::crypto {

class PrivateKey {
 public:
  // Keys outside the sizes of PublicKey are refused with KEY_WEAK or KEY_TOO_LARGE.
  static absl::StatusOr<PrivateKey> GenerateEc(Curve curve);
  static absl::StatusOr<PrivateKey> GenerateRsa(int bits);
  static absl::StatusOr<PrivateKey> FromPem(absl::string_view pem);  // PKCS#8, not encrypted

  SecretBytes Pem() const;  // PKCS#8 PEM text
  const PublicKey& Public() const { return public_; }
  EVP_PKEY* get() const { return key_.get(); }  // borrowed

  // RSASSA, RSAPSS: as long as the modulus. ECDSA: DER.
  absl::StatusOr<Bytes> Sign(SignatureScheme scheme, const Digest& digest) const;

 private:
  PrivateKey(PkeyPtr key, PublicKey half, PkeyCtxPtr ecdsa)
      : key_(std::move(key)), public_(std::move(half)), ecdsa_(std::move(ecdsa)) {}
  static absl::StatusOr<PrivateKey> Own(PkeyPtr key);
  static absl::StatusOr<PrivateKey> Own(PkeyPtr key, PublicKey half);

  PkeyPtr key_;
  PublicKey public_;
  PkeyCtxPtr ecdsa_;  // EC: set up once, never used itself; each signature works on a copy
};

}  // namespace bootgate::crypto
