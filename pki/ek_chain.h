// Does an EK certificate lead to a configured TPM vendor root? A proof type.
//
// Implements: TCG EK Credential Profile 2.5, section 3; RFC 5280 path validation by OpenSSL, with
// the tolerances that real EK certificates need, each named.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"

namespace bootgate::pki {

// A set of trusted certificates (roots or, if the operator gave one, issuing CAs).
class TrustAnchors {
 public:
  // PEM text with one or more certificates. CERT_PARSE names which one is wrong.
  static absl::StatusOr<TrustAnchors> FromPem(absl::string_view pem);
  static TrustAnchors None();
  // All of the text's certificates or, with an error, none of them.
  absl::Status Add(absl::string_view pem);
  size_t size() const { return der_.size(); }
  const std::vector<Bytes>& der() const { return der_; }

 private:
  friend class VerifiedEkChain;
  std::vector<Bytes> der_;
  std::vector<std::shared_ptr<X509>> parsed_;  // of der_; shared: copies hold the same certificates
};

class VerifiedEkChain {
 public:
  // `leaf`: DER, possibly padded with 0x00 or 0xff as NV indexes are (the trim is a tolerance).
  // `intermediates`: DER, untrusted, as the host sent them; at most 8.
  // Errors: CERT_PARSE, KEY_TOO_LARGE (before any signature is checked), KEY_WEAK, EK_CERT_PROFILE,
  // EK_CHAIN_EXPIRED, EK_CHAIN_UNTRUSTED (names issuer and AIA; never fetches).
  static absl::StatusOr<VerifiedEkChain> Verify(ByteView leaf,
                                                const std::vector<Bytes>& intermediates,
                                                const TrustAnchors& anchors, absl::Time now);

  const crypto::PublicKey& key() const { return key_; }
  const std::vector<std::string>& tolerances() const { return tolerances_; }
  const std::string& subject() const {
    return subject_;
  }  // "manufacturer id:..., model ..., version ..."
  const std::string& issuer() const { return issuer_; }
  const Bytes& tpm_san_der() const {
    return tpm_san_der_;
  }  // GeneralNames; empty when there is none

 private:
  explicit VerifiedEkChain(crypto::PublicKey key) : key_(std::move(key)) {}
  crypto::PublicKey key_;
  std::vector<std::string> tolerances_;
  std::string subject_, issuer_;
  Bytes tpm_san_der_;
};

// The key of a certificate without any trust (to compare with the EK shown); padding as in Verify.
// CERT_PARSE, KEY_WEAK, KEY_TOO_LARGE.
absl::StatusOr<crypto::PublicKey> KeyOfCertificate(ByteView der);

// The value of its subjectAltName (GeneralNames), where a TPM vendor names manufacturer, model and
// version; empty when there is none. Padding as in Verify. CERT_PARSE.
absl::StatusOr<Bytes> SubjectAltNameOf(ByteView der);

}  // namespace bootgate::pki
