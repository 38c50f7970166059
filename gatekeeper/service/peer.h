// Who is on the other end, as TLS has verified it.
#pragma once

#include "absl/status/statusor.h"
#include "gatekeeper/admission/admission.h"
#include "pki/authority.h"

namespace grpc {
class ServerContextBase;
}

namespace bootgate::gatekeeper::service {

// An empty Peer when the client showed no certificate. kUnauthenticated: CERT_PARSE when it showed
// one that has our CA's signature but is no host certificate, or not of a CA for hosts;
// PEER_CERT_REVOKED when its CA is tainted, so that the host comes again without it.
absl::StatusOr<admission::Peer> PeerOf(const grpc::ServerContextBase& context,
                                       const pki::Authority& authority);

}  // namespace bootgate::gatekeeper::service
