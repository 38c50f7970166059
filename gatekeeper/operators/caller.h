// Who calls the operators' port: an operator, by a certificate of the operators' CA.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/operators/authz.h"
#include "gatekeeper/store/store.h"
#include "pki/authority.h"

namespace grpc {
class ServerContextBase;
}

namespace bootgate::gatekeeper::operators {

struct Caller {
  std::string name;   // "alice"
  std::string actor;  // for the audit trail: "operator alice"
  RoleSet roles = 0;
  std::vector<std::string> role_names;  // as in the certificate, unknown ones too
  std::string serial;                   // hex; empty: the local user, who is always believed
  Bytes issuer_key_id, certificate;     // DER
  absl::Time not_after = absl::InfiniteFuture();
};

// The user of this machine who can read the store's files anyway: all roles.
Caller LocalCaller(const std::string& actor);

// As TLS has verified it. kUnauthenticated: OPERATOR_CERTIFICATE when it is none of an operator, or
// not of a CA for operators; those of StillGood.
absl::StatusOr<Caller> CallerOf(const grpc::ServerContextBase& context,
                                const pki::Authority& authority);

// Asked at each call, and each second of an open stream. kUnauthenticated
// OPERATOR_CERTIFICATE: it is revoked, its CA tainted, it has expired, or it does not stand in the
// register of those issued (revocation/operator_certificates.h). STORE: it cannot be told.
absl::Status StillGood(const Caller& caller, const pki::Authority& authority, store::Store& store,
                       absl::Time now);

}  // namespace bootgate::gatekeeper::operators
