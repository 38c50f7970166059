// `credential list|show|revoke`: what hosts were given, and taking it back by hand.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

struct CredentialListOptions {
  std::string host_id;   // empty: of all hosts
  bool revoked = false;  // only what is revoked and has not expired
};
ExitCode CredentialList(const Operator& op, const CredentialListOptions& options);

// Serials are taken as openssl and browsers print them, too: in capitals, with colons.
ExitCode CredentialShow(const Operator& op, const std::string& serial);

struct CredentialRevokeOptions {
  std::string serial;
  std::string reason;                // why, in words; required
  std::string code = "unspecified";  // pki::RevocationReason by name; goes into the CRL
};
// Audited. What is revoked already stays as it is, and the verb says since when.
ExitCode CredentialRevoke(const Operator& op, const CredentialRevokeOptions& options);

}  // namespace bootgate::gatekeeper::cli
