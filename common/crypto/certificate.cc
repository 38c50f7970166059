#include "common/crypto/certificate.h"

#include <openssl/x509.h>

#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::crypto {
namespace {

absl::Status ParseError(absl::string_view doing) {
  return WithReason(OpenSslError(absl::StatusCode::kInvalidArgument, doing), Reason::kCertParse);
}

}  // namespace

absl::StatusOr<CertificateKey> KeyOfCertificate(ByteView der) {
  const unsigned char* position = der.data();
  const X509Ptr certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
  if (certificate == nullptr) return ParseError("certificate");
  unsigned char* spki = nullptr;
  const int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &spki);
  if (spki_size <= 0) return ParseError("certificate key");
  const Bytes spki_der(spki, spki + spki_size);
  OPENSSL_free(spki);
  BG_ASSIGN_OR_RETURN(PublicKey key, PublicKey::FromSpkiDer(spki_der));
  return CertificateKey{std::move(key), static_cast<size_t>(position - der.data())};
}

}  // namespace bootgate::crypto
