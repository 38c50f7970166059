// Who is on the other end, as TLS has verified it.
#pragma once

#include "absl/status/statusor.h"
#include "gatekeeper/admission/admission.h"

namespace grpc {
class ServerContextBase;
}

namespace bootgate::gatekeeper::service {

// An empty Peer when the client showed no certificate. kUnauthenticated CERT_PARSE when it showed
// one that has our CA's signature but is no host certificate.
absl::StatusOr<admission::Peer> PeerOf(const grpc::ServerContextBase& context);

}  // namespace bootgate::gatekeeper::service
