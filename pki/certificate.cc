#include "pki/certificate.h"

#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/der.h"

namespace bootgate::pki {
namespace {

constexpr uint8_t kVersion3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};  // [0] { INTEGER 2 }
constexpr uint8_t kExtensionsTag = der::kContextConstructed | 3;

// RelativeDistinguishedName with one attribute of the arc id-at (2.5.4).
Bytes Attribute(uint8_t number, ByteView value) {
  return der::Element(der::kSet, {der::Sequence({der::Oid({2, 5, 4, number}), value})});
}

Bytes TextAttribute(uint8_t number, absl::string_view text) {
  return text.empty() ? Bytes{} : Attribute(number, der::Text(text));
}

Bytes TbsCertificate(const CertificateFields& fields, ByteView algorithm) {
  const Bytes validity = der::Sequence({der::Time(fields.not_before), der::Time(fields.not_after)});
  const Bytes extensions = der::Element(kExtensionsTag, {der::Sequence({fields.extensions})});
  return der::Sequence({kVersion3, der::Integer(fields.serial), algorithm, fields.issuer, validity,
                        fields.subject, fields.spki, extensions});
}

}  // namespace

Bytes NameDer(absl::string_view organization, absl::string_view common_name) {
  constexpr uint8_t kOrganization = 10, kCommonName = 3;
  return der::Sequence(
      {TextAttribute(kOrganization, organization), TextAttribute(kCommonName, common_name)});
}

Bytes DeviceNameDer(absl::string_view id) {
  constexpr uint8_t kSerialNumber = 5;
  return der::Sequence(
      {Attribute(kSerialNumber, der::Element(der::kPrintableString, {AsBytes(id)}))});
}

absl::StatusOr<CertificateSigner> CertificateSigner::For(std::shared_ptr<const KeyHolder> holder) {
  const std::optional<crypto::Curve> curve = holder->Public().curve();
  if (curve == crypto::Curve::kP256) {
    return CertificateSigner(std::move(holder), crypto::HashAlg::kSha256,
                             der::Sequence({der::Oid({1, 2, 840, 10045, 4, 3, 2})}));
  }
  if (curve == crypto::Curve::kP384) {
    return CertificateSigner(std::move(holder), crypto::HashAlg::kSha384,
                             der::Sequence({der::Oid({1, 2, 840, 10045, 4, 3, 3})}));
  }
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa,
                "a CA key must be of the curve P-256 or P-384");
}

absl::StatusOr<Bytes> CertificateSigner::Sign(const CertificateFields& fields) const {
  return SignElement(TbsCertificate(fields, algorithm_));
}

absl::StatusOr<Bytes> CertificateSigner::SignElement(ByteView signed_part, ByteView after) const {
  BG_ASSIGN_OR_RETURN(const Bytes signature, holder_->Sign(crypto::Hash(hash_, signed_part)));
  return der::Sequence({signed_part, algorithm_, der::BitString(signature), after});
}

}  // namespace bootgate::pki
