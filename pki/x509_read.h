// What we read out of a certificate that OpenSSL parsed. Nothing here is trusted.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/crypto/owners.h"
#include "common/crypto/public_key.h"

namespace bootgate::pki {

// DER of one certificate, nothing after it. CERT_PARSE: malformed, too large, or an extension that
// OpenSSL knows is malformed or stands twice.
absl::StatusOr<crypto::X509Ptr> ParseCertificate(ByteView der);

// KEY_WEAK, KEY_TOO_LARGE. Checks sizes only; no signature is computed.
absl::StatusOr<crypto::PublicKey> KeyOf(const X509* certificate);
// The same for somebody else's key, which is looked at more closely (common/crypto/key_strength.h).
absl::StatusOr<crypto::PublicKey> ForeignKeyOf(const X509* certificate);

std::string SubjectText(const X509* certificate);  // "CN=...,O=...", printable; may be empty
std::string IssuerText(const X509* certificate);
std::string AiaText(const X509* certificate);   // caIssuers URLs, or "none"
absl::Time NotBefore(const X509* certificate);  // InfinitePast when unreadable
absl::Time NotAfter(const X509* certificate);   // InfinitePast when unreadable

// Basic constraints or key usage make it a CA.
bool IsCa(const X509* certificate);
// SubjectPublicKeyInfo as the certificate writes it.
Bytes SpkiOf(const X509* certificate);
// "certificate "CN=..." of issuer "CN=..."", for messages.
std::string NamesOf(const X509* certificate);
std::string Sha256Of(const X509* certificate);  // of the whole DER, lower case
Bytes DerOf(const X509* certificate);
std::string SerialHex(const X509* certificate);  // lower case, two digits a byte

// Contents of a string or number of OpenSSL's; borrowed.
ByteView StringBytes(const ASN1_STRING* text);
absl::Time TimeOf(const ASN1_TIME* time);        // InfinitePast when unreadable or nullptr
std::string OidText(const ASN1_OBJECT* object);  // "2.23.133.8.1"; "" when unreadable

// Key identifier of the CA that signed it, as the certificate says; empty when it does not.
Bytes AuthorityKeyId(const X509* certificate);
// The same of DER, without a parse of the rest: that makes a key of the key, which takes ten times
// as long. CERT_PARSE when the fields are not where RFC 5280, 4.1 has them.
absl::StatusOr<Bytes> AuthorityKeyIdIn(ByteView der);
// The value of the subjectAltName extension (GeneralNames); empty when there is none.
Bytes SubjectAltNameDer(const X509* certificate);
// URIs of the subjectAltName, in order.
std::vector<std::string> UriNames(const X509* certificate);

}  // namespace bootgate::pki
