#include "pki/ocsp_responder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/der.h"
#include "pki/extensions.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr absl::Duration kResponderLifetime = absl::Hours(24);
// Clocks differ; an answer made now is already believed by a client that is a little behind.
constexpr absl::Duration kBackdate = absl::Minutes(5);
constexpr char kResponderName[] = "Bootgate OCSP responder";
// What clients name an issuer by: SHA-1 nearly always, which is no weakness where nothing but a
// name is wanted.
constexpr crypto::HashAlg kAlgs[] = {crypto::HashAlg::kSha1, crypto::HashAlg::kSha256,
                                     crypto::HashAlg::kSha384, crypto::HashAlg::kSha512};

Bytes ResponderExtensions(ByteView issuer_key_id, ByteView spki) {
  static constexpr uint8_t kNull[] = {0x05, 0x00};
  Bytes all;
  for (const Bytes& part : {ext::BasicConstraintsEndEntity(), ext::KeyUsage(ext::kDigitalSignature),
                            ext::ExtendedKeyUsage({der::Oid({1, 3, 6, 1, 5, 5, 7, 3, 9})}),
                            ext::Extension(der::Oid({1, 3, 6, 1, 5, 5, 7, 48, 1, 5}),
                                           ext::Criticality::kNotCritical, kNull),
                            ext::SubjectKeyIdentifier(ext::KeyIdOf(spki)),
                            ext::AuthorityKeyIdentifier(issuer_key_id)}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// What clients hash of a key: the BIT STRING of its SubjectPublicKeyInfo.
absl::StatusOr<Bytes> KeyBitsOf(ByteView certificate_der) {
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, ParseCertificate(certificate_der));
  const ASN1_BIT_STRING* const bits = X509_get0_pubkey_bitstr(certificate.get());
  return ToBytes({ASN1_STRING_get0_data(bits), static_cast<size_t>(ASN1_STRING_length(bits))});
}

}  // namespace

absl::StatusOr<OcspResponder> OcspResponder::Make(const Issuer& issuer, absl::Time now) {
  if (!issuer.signer.has_value()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCaKey,
                  absl::StrCat("the key of the CA ", issuer.id, " is not here"));
  }
  BG_ASSIGN_OR_RETURN(auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  const Bytes spki = key.Public().SpkiDer();
  BG_ASSIGN_OR_RETURN(
      CertificateSigner signer,
      CertificateSigner::For(std::make_shared<const crypto::PrivateKey>(std::move(key))));
  OcspResponder made(std::move(signer));
  made.not_after_ = std::min(now + kResponderLifetime, issuer.not_after);
  made.renew_at_ = now + (made.not_after_ - now) / 2;
  BG_ASSIGN_OR_RETURN(const Bytes serial, FromHex(NewSerialHex()));
  BG_ASSIGN_OR_RETURN(
      made.certificate_,
      issuer.signer->Sign({.serial = serial,
                           .issuer = issuer.name,
                           .subject = NameDer("", kResponderName),
                           .not_before = now - kBackdate,
                           .not_after = made.not_after_,
                           .spki = spki,
                           .extensions = ResponderExtensions(issuer.key_id, spki)}));
  BG_ASSIGN_OR_RETURN(const Bytes own_bits, KeyBitsOf(made.certificate_));
  made.key_hash_ = ToBytes(crypto::Hash(crypto::HashAlg::kSha1, own_bits).view());
  BG_ASSIGN_OR_RETURN(const Bytes issuer_bits, KeyBitsOf(issuer.certificate));
  for (size_t i = 0; i < std::size(kAlgs); ++i) {
    made.issuer_[i] = {crypto::Hash(kAlgs[i], issuer.name), crypto::Hash(kAlgs[i], issuer_bits)};
  }
  return made;
}

bool OcspResponder::IsIssuerOf(const OcspCertId& id) const {
  for (size_t i = 0; i < std::size(kAlgs); ++i) {
    if (id.alg != kAlgs[i]) continue;
    return SameBytes(issuer_[i].name.view(), id.issuer_name_hash) &&
           SameBytes(issuer_[i].key.view(), id.issuer_key_hash);
  }
  return false;
}

absl::StatusOr<Bytes> OcspResponder::Respond(const OcspRequest& request,
                                             std::vector<OcspAnswer> answers,
                                             const Times& times) const {
  return MakeOcspResponse({.responder_key_hash = key_hash_,
                           .this_update = times.this_update,
                           .next_update = times.next_update,
                           .answers = std::move(answers),
                           .nonce = request.nonce,
                           .responder_certificate = certificate_},
                          signer_);
}

}  // namespace bootgate::pki
