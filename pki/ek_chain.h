// Does an EK certificate lead to a configured TPM vendor root? A proof type.
//
// Implements: TCG EK Credential Profile 2.5, section 3; RFC 5280 path validation by OpenSSL, with
// the tolerances that real EK certificates need, each named.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"
#include "pki/trust_anchors.h"

namespace bootgate::pki {

class VerifiedEkChain {
 public:
  // `leaf`: DER, possibly padded with 0x00 or 0xff as NV indexes are (the trim is a tolerance).
  // `intermediates`: DER, untrusted, as the host sent them; at most 8.
  // Errors: CERT_PARSE, KEY_TOO_LARGE (before any signature is checked), KEY_WEAK, EK_CERT_PROFILE,
  // EK_CHAIN_EXPIRED, EK_CHAIN_UNTRUSTED (names issuer, AIA and the way out; never fetches).
  // Revocation and distrust are asked with path(): ek_revocation.h, ek_distrust.h.
  static absl::StatusOr<VerifiedEkChain> Verify(ByteView leaf,
                                                const std::vector<Bytes>& intermediates,
                                                const TrustAnchors& anchors, absl::Time now);

  const crypto::PublicKey& key() const { return key_; }
  const std::vector<std::string>& tolerances() const { return tolerances_; }
  const std::string& subject() const { return subject_; }  // "manufacturer id:..., model ..., ..."
  const std::string& issuer() const { return issuer_; }
  // The subject of the anchor, and the whole path in DER: the EK certificate first, the anchor
  // last.
  const std::string& anchor() const { return anchor_; }
  const std::vector<Bytes>& path() const { return path_; }
  const Bytes& tpm_san_der() const { return tpm_san_der_; }  // GeneralNames; may be empty

 private:
  explicit VerifiedEkChain(crypto::PublicKey key) : key_(std::move(key)) {}
  crypto::PublicKey key_;
  std::vector<std::string> tolerances_;
  std::string subject_, issuer_, anchor_;
  std::vector<Bytes> path_;
  Bytes tpm_san_der_;
};

// The key of a certificate without any trust (to compare with the EK shown); padding as in Verify.
// CERT_PARSE, KEY_WEAK, KEY_TOO_LARGE.
absl::StatusOr<crypto::PublicKey> KeyOfCertificate(ByteView der);

// The value of its subjectAltName (GeneralNames), where a TPM vendor names manufacturer, model and
// version; empty when there is none. Padding as in Verify. CERT_PARSE.
absl::StatusOr<Bytes> SubjectAltNameOf(ByteView der);

}  // namespace bootgate::pki
