// What a certificate says, for people: read, never trusted, nothing is verified.
//
// Implements: RFC 5280, 4.1 (fields); RFC 4514, 2 (names as text, last part first).
#pragma once

#include <optional>
#include <string>

#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"

namespace bootgate::crypto {

inline constexpr size_t kMaxCertificateBytes = size_t{64} << 10;

// All texts are the certificate's, bounded and printable ASCII or UTF-8 without control characters.
struct CertificateFacts {
  std::string subject;  // "CN=Microsoft Windows Production PCA 2011, O=Microsoft Corporation, ..."
  std::string issuer;   // the same form
  std::string serial;   // lower-case hexadecimal: "61077656000000000008"
  std::string not_before;  // "2011-10-19T18:41:42Z"; empty when the field is no time
  std::string not_after;
  std::string key;     // "RSA 2048", "EC P-256"; "unknown" for other kinds
  Digest fingerprint;  // SHA-256 of the DER
};

// nullopt when the bytes are no X.509 certificate in DER, have something after it or are more than
// kMaxCertificateBytes.
std::optional<CertificateFacts> ReadCertificateFacts(ByteView der);

}  // namespace bootgate::crypto
