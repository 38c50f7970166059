#include "pki/extensions.h"

#include "common/crypto/hash.h"

namespace bootgate::pki::ext {
namespace {

constexpr size_t kKeyIdSize = 20;  // bytes

// id-ce, the arc of the standard extensions.
Bytes StandardExtension(uint8_t number, Criticality criticality, ByteView value) {
  return Extension(der::Oid({2, 5, 29, number}), criticality, value);
}

Bytes SequenceOf(const std::vector<Bytes>& elements) {
  Bytes all;
  for (const Bytes& element : elements) all.insert(all.end(), element.begin(), element.end());
  return der::Sequence({all});
}

}  // namespace

Bytes Extension(ByteView oid, Criticality criticality, ByteView value) {
  const Bytes critical = criticality == Criticality::kCritical ? der::Boolean(true) : Bytes{};
  return der::Sequence({oid, critical, der::Element(der::kOctetString, {value})});
}

Bytes BasicConstraintsEndEntity() {
  return StandardExtension(19, Criticality::kCritical, der::Sequence({}));
}

Bytes BasicConstraintsCa(uint8_t path_length) {
  const Bytes length = der::Integer(ByteView(&path_length, 1));
  return StandardExtension(19, Criticality::kCritical, der::Sequence({der::Boolean(true), length}));
}

Bytes KeyUsage(uint8_t bits) {
  uint8_t unused = 0;
  while (unused < 7 && (bits >> unused & 1) == 0) ++unused;
  const uint8_t contents[] = {unused, bits};
  return StandardExtension(15, Criticality::kCritical, der::Element(der::kBitString, {contents}));
}

Bytes ExtendedKeyUsage(const std::vector<Bytes>& purposes) {
  return StandardExtension(37, Criticality::kNotCritical, SequenceOf(purposes));
}

Bytes CertificatePolicies(const std::vector<Bytes>& policies) {
  std::vector<Bytes> information;
  for (const Bytes& policy : policies) information.push_back(der::Sequence({policy}));
  return StandardExtension(32, Criticality::kNotCritical, SequenceOf(information));
}

Bytes SubjectKeyIdentifier(ByteView key_id) {
  return StandardExtension(14, Criticality::kNotCritical,
                           der::Element(der::kOctetString, {key_id}));
}

Bytes AuthorityKeyIdentifier(ByteView key_id) {
  return StandardExtension(35, Criticality::kNotCritical,
                           der::Sequence({der::Element(der::kContextPrimitive | 0, {key_id})}));
}

Bytes CrlDistributionPoint(absl::string_view url) {
  // DistributionPoint { distributionPoint [0] { fullName [0] GeneralNames } }
  const Bytes full_name = der::Element(der::kContextConstructed | 0, {UriName(url)});
  const Bytes point = der::Sequence({der::Element(der::kContextConstructed | 0, {full_name})});
  return StandardExtension(31, Criticality::kNotCritical, der::Sequence({point}));
}

Bytes AuthorityInfoAccess(absl::string_view ocsp, absl::string_view ca_issuers) {
  static const Bytes kAccess = der::Oid({1, 3, 6, 1, 5, 5, 7, 1, 1});
  static const Bytes kOcsp = der::Oid({1, 3, 6, 1, 5, 5, 7, 48, 1});
  static const Bytes kCaIssuers = der::Oid({1, 3, 6, 1, 5, 5, 7, 48, 2});
  std::vector<Bytes> descriptions;
  if (!ocsp.empty()) descriptions.push_back(der::Sequence({kOcsp, UriName(ocsp)}));
  if (!ca_issuers.empty()) descriptions.push_back(der::Sequence({kCaIssuers, UriName(ca_issuers)}));
  if (descriptions.empty()) return {};
  return Extension(kAccess, Criticality::kNotCritical, SequenceOf(descriptions));
}

Bytes NameConstraintsExcluding(const std::vector<Bytes>& general_names) {
  Bytes subtrees;
  for (const Bytes& name : general_names) {
    const Bytes subtree = der::Sequence({name});
    subtrees.insert(subtrees.end(), subtree.begin(), subtree.end());
  }
  const Bytes excluded = der::Element(der::kContextConstructed | 1, {subtrees});
  return StandardExtension(30, Criticality::kCritical, der::Sequence({excluded}));
}

Bytes UriName(absl::string_view uri) {
  return der::Element(der::kContextPrimitive | 6, {AsBytes(uri)});
}
Bytes DnsName(absl::string_view name) {
  return der::Element(der::kContextPrimitive | 2, {AsBytes(name)});
}
Bytes IpName(ByteView address) { return der::Element(der::kContextPrimitive | 7, {address}); }

Bytes SubjectAltName(const std::vector<Bytes>& general_names) {
  return StandardExtension(17, Criticality::kNotCritical, SequenceOf(general_names));
}

Bytes KeyIdOf(ByteView spki_der) {
  const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, spki_der);
  return ToBytes(digest.view().first(kKeyIdSize));
}

namespace oid {
const Bytes& ServerAuth() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 5, 5, 7, 3, 1});
  return kOid;
}
const Bytes& ClientAuth() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 5, 5, 7, 3, 2});
  return kOid;
}
const Bytes& EkCertificate() {
  static const Bytes kOid = der::Oid({2, 23, 133, 8, 1});
  return kOid;
}
const Bytes& AikCertificate() {
  static const Bytes kOid = der::Oid({2, 23, 133, 8, 3});
  return kOid;
}
const Bytes& VerifiedTpmResidency() {
  static const Bytes kOid = der::Oid({2, 23, 133, 11, 1, 1});
  return kOid;
}
const Bytes& VerifiedTpmRestricted() {
  static const Bytes kOid = der::Oid({2, 23, 133, 11, 1, 3});
  return kOid;
}
const Bytes& OcspSigning() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 5, 5, 7, 3, 9});
  return kOid;
}
const Bytes& TokenSigning() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 4, 1, 58888, 2, 1});
  return kOid;
}
const Bytes& EkKeyVerified() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 4, 1, 311, 21, 30});
  return kOid;
}
const Bytes& EkCertificateVerified() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 4, 1, 311, 21, 31});
  return kOid;
}
const Bytes& CloudAkVerified() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 4, 1, 58888, 3, 1});
  return kOid;
}
}  // namespace oid

}  // namespace bootgate::pki::ext
