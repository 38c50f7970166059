#include "pki/verdict_extension.h"

#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/extensions.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

const Bytes& VerdictOid() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 4, 1, 58888, 1, 1});
  return kOid;
}

absl::StatusOr<VerdictExtension> Decode(ByteView value) {
  bytes::Reader outer(value);
  BG_ASSIGN_OR_RETURN(const der::ReadElement sequence, der::Expect(outer, der::kSequence));
  BG_RETURN_IF_ERROR(outer.ExpectEnd());
  bytes::Reader in(sequence.contents);
  BG_ASSIGN_OR_RETURN(const der::ReadElement verdict, der::Expect(in, der::kUtf8String));
  BG_ASSIGN_OR_RETURN(const der::ReadElement policy, der::Expect(in, der::kUtf8String));
  BG_ASSIGN_OR_RETURN(const der::ReadElement digest, der::Expect(in, der::kOctetString));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return VerdictExtension{std::string(AsText(verdict.contents)),
                          std::string(AsText(policy.contents)), ToBytes(digest.contents)};
}

}  // namespace

Bytes EncodeVerdictExtension(const VerdictExtension& verdict) {
  const Bytes value = der::Sequence({der::Text(verdict.verdict_id), der::Text(verdict.policy_id),
                                     der::Element(der::kOctetString, {verdict.claims_digest})});
  return ext::Extension(VerdictOid(), ext::Criticality::kNotCritical, value);
}

absl::StatusOr<VerdictExtension> VerdictExtensionOf(ByteView certificate_der) {
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, ParseCertificate(certificate_der));
  const uint8_t* at = VerdictOid().data();
  const std::unique_ptr<ASN1_OBJECT, crypto::FreeWith<ASN1_OBJECT_free>> oid(
      d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(VerdictOid().size())));  // NOLINT
  const int index = X509_get_ext_by_OBJ(certificate.get(), oid.get(), -1);
  if (index < 0) return absl::NotFoundError("the certificate names no verdict");
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(certificate.get(), index));
  absl::StatusOr<VerdictExtension> verdict =
      Decode({ASN1_STRING_get0_data(value), static_cast<size_t>(ASN1_STRING_length(value))});
  if (!verdict.ok()) return Malformed(Reason::kCertParse, verdict.status().message());
  return verdict;
}

}  // namespace bootgate::pki
