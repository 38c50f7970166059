// What a certificate of ours says about an operator: name and roles. Only for certificates whose
// chain has been verified by TLS already, and whose issuer is an operators' CA
// (Authority::MayIssue).
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"

namespace bootgate::pki {

inline constexpr size_t kMaxOperatorRoles = 16;

struct OperatorCertificate {
  std::string name;                // "alice"
  std::vector<std::string> roles;  // "viewer", "security"; at least one
  std::string serial_hex;
  Bytes issuer_key_id;
  absl::Time not_after;
};

// Letters, digits, '-', '_', '.', '@'; 1 to 48 of them.
bool IsOperatorName(absl::string_view text);
bool IsRoleName(absl::string_view text);  // a-z, digits, '-'; 1 to 32

// The extension (1.3.6.1.4.1.58888.1.2, not critical): SEQUENCE OF UTF8String.
Bytes EncodeRolesExtension(const std::vector<std::string>& roles);

// CERT_PARSE: not one certificate, without exactly one URI of the form
// spiffe://<trust domain>/operator/<name>, or without roles.
absl::StatusOr<OperatorCertificate> ReadOperatorCertificate(absl::string_view pem);

}  // namespace bootgate::pki
