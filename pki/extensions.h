// X.509 extensions as ready DER, each the whole Extension element.
//
// Implements: RFC 5280, section 4.2; TCG OID registry for key purposes and issuance policies.
// No text is ever parsed here: names are built as GeneralNames, so nothing in them is syntax.
#pragma once

#include <optional>
#include <vector>

#include "common/base/bytes_view.h"
#include "pki/der.h"

namespace bootgate::pki::ext {

enum class Criticality { kCritical, kNotCritical };

// `oid`: the whole OBJECT IDENTIFIER element; `value`: what the extnValue octet string holds.
Bytes Extension(ByteView oid, Criticality criticality, ByteView value);

Bytes BasicConstraintsEndEntity();
Bytes BasicConstraintsCa(uint8_t path_length);

// First byte of the KeyUsage bit string (RFC 5280, 4.2.1.3).
inline constexpr uint8_t kDigitalSignature = 0x80, kKeyEncipherment = 0x20, kKeyCertSign = 0x04,
                         kCrlSign = 0x02;
Bytes KeyUsage(uint8_t bits);

Bytes ExtendedKeyUsage(const std::vector<Bytes>& purposes);
Bytes CertificatePolicies(const std::vector<Bytes>& policies);
Bytes SubjectKeyIdentifier(ByteView key_id);
Bytes AuthorityKeyIdentifier(ByteView key_id);

// Where the state of a certificate is to be had (RFC 5280, 4.2.1.13 and 4.2.2.1).
Bytes CrlDistributionPoint(absl::string_view url);
// `ca_issuers`: where the issuer's certificate is. An empty one is left out; both empty: no bytes.
Bytes AuthorityInfoAccess(absl::string_view ocsp, absl::string_view ca_issuers);

// Names that no certificate below a CA may bear (RFC 5280, 4.2.1.10). Critical.
Bytes NameConstraintsExcluding(const std::vector<Bytes>& general_names);

// GeneralNames, then the extension around them.
Bytes UriName(absl::string_view uri);
Bytes DnsName(absl::string_view name);
Bytes IpName(ByteView address);  // 4 or 16 bytes
Bytes SubjectAltName(const std::vector<Bytes>& general_names);

// Leftmost 160 bits of the SHA-256 of a SubjectPublicKeyInfo (RFC 7093, section 2).
Bytes KeyIdOf(ByteView spki_der);

namespace oid {
const Bytes& ServerAuth();
const Bytes& ClientAuth();
const Bytes& EkCertificate();          // 2.23.133.8.1, tcg-kp-EKCertificate
const Bytes& AikCertificate();         // 2.23.133.8.3, tcg-kp-AIKCertificate
const Bytes& VerifiedTpmResidency();   // 2.23.133.11.1.1, tcg-cap-verifiedTPMResidency
const Bytes& VerifiedTpmRestricted();  // 2.23.133.11.1.3, tcg-cap-verifiedTPMRestricted
const Bytes& OcspSigning();
const Bytes& TokenSigning();  // 1.3.6.1.4.1.58888.2.1, our own: signs attestation tokens
// Whether the EK itself or its certificate was verified. TCG has no pair of policies for that;
// these are the ones registered for the same statement by Microsoft's enrolment protocol (MS-WCCE).
const Bytes& EkKeyVerified();          // 1.3.6.1.4.1.311.21.30
const Bytes& EkCertificateVerified();  // 1.3.6.1.4.1.311.21.31
const Bytes& CloudAkVerified();        // 1.3.6.1.4.1.58888.3.1, our own: a cloud stood for the AK
}  // namespace oid

}  // namespace bootgate::pki::ext
