// The operators' port: gRPC over mutual TLS, one service for people, tools and network controllers.
//
// No call is answered without a certificate of the operators' CA whose roles allow it. The command
// line on the gatekeeper's own machine reaches the very same service over a channel inside the
// process.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/operators/backend.h"
#include "gatekeeper/service/agents_server.h"

namespace grpc {
class Channel;
}

namespace bootgate::gatekeeper::operators {

struct ServerOptions {
  std::string listen;        // "127.0.0.1:9744"; port 0 takes a free one
  service::TlsMaterial tls;  // client_ca_pem: of all CAs of the cluster
  size_t workers = 4;        // for calls; open streams have two of their own
  size_t queue = 256;
  size_t max_streams = 4096;  // open ones: what comes on top is refused
};

// What the port did since the start.
struct ServerCounts {
  int64_t answered = 0, refused = 0, open_streams = 0;
};

class OperatorsServer {
 public:
  // kUnavailable when the address cannot be bound. kInternal: a method without a row in the authz
  // table.
  static absl::StatusOr<std::unique_ptr<OperatorsServer>> Start(const ServerOptions& options,
                                                                const Backend& backend);
  // Listens nowhere: Channel() reaches it, as `actor` ("operator alice (root)") with all roles.
  static absl::StatusOr<std::unique_ptr<OperatorsServer>> StartLocal(const Backend& backend,
                                                                     const std::string& actor);
  virtual ~OperatorsServer() = default;

  // Of StartLocal. Must not outlive the server.
  virtual std::shared_ptr<grpc::Channel> Channel() = 0;
  // Connections from now on are made with this; open ones stay. Any thread.
  virtual void Renew(service::TlsMaterial tls) = 0;
  virtual int port() const = 0;
  virtual ServerCounts counts() const = 0;  // any thread
  // Ends open streams, lets running calls end until the deadline, then cancels them.
  virtual void Shutdown(absl::Time deadline) = 0;
};

// A stream whose reader has not taken a message for so long is cut.
inline constexpr absl::Duration kSlowestReader = absl::Seconds(60);

}  // namespace bootgate::gatekeeper::operators
