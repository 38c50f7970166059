// Private keys in software: the internal CA's, TLS keys, test keys. Never a TPM's.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/secret_bytes.h"
#include "common/crypto/public_key.h"

namespace bootgate::crypto {

class PrivateKey {
 public:
  static absl::StatusOr<PrivateKey> GenerateEc(Curve curve);
  static absl::StatusOr<PrivateKey> GenerateRsa(int bits);
  static absl::StatusOr<PrivateKey> FromPem(absl::string_view pem);  // PKCS#8, not encrypted

  SecretBytes Pem() const;        // PKCS#8 PEM text
  PublicKey Public() const;
  EVP_PKEY* get() const { return key_.get(); }  // borrowed

  // RSASSA: as long as the modulus. ECDSA: DER.
  absl::StatusOr<Bytes> Sign(SignatureScheme scheme, const Digest& digest) const;

 private:
  explicit PrivateKey(PkeyPtr key) : key_(std::move(key)) {}
  PkeyPtr key_;
};

}  // namespace bootgate::crypto
