// Does an AK certificate that somebody else issued lead to a configured root? A proof type.
//
// A cloud's vTPM, or a privacy CA, certifies the attestation key itself. Such a certificate says
// who stands for "this key lives in a TPM", so it is a route of its own beside EK certificate and
// activation, with its own assurance.
//
// Implements: TCG Infrastructure AK certificates (key purpose 2.23.133.8.3); RFC 5280 path
// validation by OpenSSL.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"
#include "pki/trust_anchors.h"

namespace bootgate::pki {

// Who stands for the key, by the anchor (never by what the certificate says of itself).
enum class AkAssurance {
  kAik,     // a privacy CA; the certificate carries the AIK key purpose
  kGoogle,  // Google Compute Engine's vTPM
  kAzure,   // Azure's vTPM
};
absl::string_view Name(AkAssurance assurance);  // "aik", "google", "azure"

class VerifiedAkChain {
 public:
  // `leaf`: DER, possibly padded with 0x00 or 0xff as NV indexes are. `intermediates`: DER,
  // untrusted, at most 8.
  // Errors: CERT_PARSE, KEY_TOO_LARGE and KEY_WEAK (before any signature is checked), CERT_PROFILE
  // (a CA, no signing key, a purpose that is not the AIK's), AK_CHAIN_UNTRUSTED (names issuer, AIA
  // and way out; also when a certificate of the path is not valid now).
  static absl::StatusOr<VerifiedAkChain> Verify(ByteView leaf,
                                                const std::vector<Bytes>& intermediates,
                                                const TrustAnchors& anchors, absl::Time now);

  const crypto::PublicKey& key() const { return key_; }
  AkAssurance assurance() const { return assurance_; }
  const std::string& subject() const { return subject_; }  // a TPM's text, or the subject
  const std::string& issuer() const { return issuer_; }
  const std::vector<std::string>& tolerances() const { return tolerances_; }
  // The subject of the anchor, and the whole path in DER: the AK certificate first, the anchor
  // last.
  const std::string& anchor() const { return anchor_; }
  const std::vector<Bytes>& path() const { return path_; }
  const Bytes& tpm_san_der() const { return tpm_san_der_; }  // GeneralNames; may be empty

 private:
  explicit VerifiedAkChain(crypto::PublicKey key) : key_(std::move(key)) {}
  crypto::PublicKey key_;
  AkAssurance assurance_ = AkAssurance::kAik;
  std::string subject_, issuer_, anchor_;
  std::vector<std::string> tolerances_;
  std::vector<Bytes> path_;
  Bytes tpm_san_der_;
};

}  // namespace bootgate::pki
