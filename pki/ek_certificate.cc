#include "pki/ek_certificate.h"

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/certificate.h"
#include "pki/der.h"
#include "pki/extensions.h"

namespace bootgate::pki {
namespace {

constexpr uint8_t kKeyAgreement = 0x08;  // RFC 5280, 4.2.1.3

absl::Status CaError(absl::string_view what) {
  return Refuse(absl::StatusCode::kInternal, Reason::kCa, what);
}

Bytes EkExtensions(const Issuer& issuer, ByteView spki, const crypto::PublicKey& key) {
  const uint8_t usage =
      key.kind() == crypto::PublicKey::Kind::kRsa ? ext::kKeyEncipherment : kKeyAgreement;
  Bytes all;
  for (const Bytes& part : {ext::BasicConstraintsEndEntity(), ext::KeyUsage(usage),
                            ext::ExtendedKeyUsage({ext::oid::EkCertificate()}),
                            ext::AuthorityKeyIdentifier(issuer.key_id),
                            ext::SubjectKeyIdentifier(ext::KeyIdOf(spki))}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

absl::StatusOr<Bytes> MakeEkCertificate(const Issuer& issuer, const EkCertificateRequest& request,
                                        const crypto::PublicKey& key) {
  if (!issuer.signer.has_value()) return CaError("the CA for EK certificates has no key here");
  absl::StatusOr<Bytes> serial = FromHex(request.serial_hex);
  if (!serial.ok() || serial->empty()) return CaError("the serial is no hexadecimal");
  if (request.not_after <= request.not_before) {
    return CaError("a validity that ends before it begins");
  }
  if (request.not_after > issuer.not_after) return CaError("the CA ends before the certificate");
  const Bytes subject = NameDer("", request.host_id);
  const Bytes spki = key.SpkiDer();
  const Bytes extensions = EkExtensions(issuer, spki, key);
  return issuer.signer->Sign({.serial = *serial,
                              .issuer = issuer.name,
                              .subject = subject,
                              .not_before = request.not_before,
                              .not_after = request.not_after,
                              .spki = spki,
                              .extensions = extensions});
}

}  // namespace bootgate::pki
