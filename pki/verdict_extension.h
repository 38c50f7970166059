// The extension that ties a host certificate to the verdict it was issued for.
//
//     id: 1.3.6.1.4.1.58888.1.1, not critical
//     BootgateVerdict ::= SEQUENCE {
//       verdictId     UTF8String,
//       policyId      UTF8String,      -- hex SHA-256 of the policy text, may be empty
//       claimsDigest  OCTET STRING }   -- SHA-256 of the claims, may be empty
//
// Bootgate's own. 58888 is a placeholder arc until the project has a private enterprise number.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"

namespace bootgate::pki {

inline constexpr char kVerdictExtensionOid[] = "1.3.6.1.4.1.58888.1.1";

struct VerdictExtension {
  std::string verdict_id, policy_id;
  Bytes claims_digest;
};

Bytes EncodeVerdictExtension(const VerdictExtension& verdict);  // the whole Extension element

// Reads it from a certificate. kNotFound: the certificate has none; CERT_PARSE: malformed.
absl::StatusOr<VerdictExtension> VerdictExtensionOf(ByteView certificate_der);

}  // namespace bootgate::pki
