// The SPIFFE Workload API for the programs of this host: one identity, that of the host.
//
// Implements: SPIFFE Workload API, sections 4 to 6 (X.509-SVID and JWT-SVID profiles): the metadata
// `workload.spiffe.io: true` is demanded, answers on streams come again whenever they change, and a
// stream ends with PERMISSION_DENIED when there is no identity (any more). Who may call at all is
// decided where connections are accepted (socket_server.h).
#pragma once

#include <memory>

#include "agent/workload/identity_hub.h"
#include "agent/workload/jwt_source.h"

namespace grpc {
class Service;
}

namespace bootgate::agent::workload {

// The references must outlive the server that the service runs on.
std::unique_ptr<grpc::Service> MakeSpiffeService(IdentityHub& hub, JwtSource& tokens);

}  // namespace bootgate::agent::workload
