// The agent's unix socket: who connects is asked of the kernel before a byte of what they say is
// read.
//
// A process that the rules let in speaks with the services; any other is told PERMISSION_DENIED
// WORKLOAD_DENIED to whatever it asks, is logged by user, group and process, and cut off. The
// folder guards the socket, too: it must belong to the agent's user or root and be writable to
// nobody else. Connections are bounded, for each user and in all.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/workload/peer_rules.h"

namespace grpc {
class Service;
}

namespace bootgate::agent::workload {

struct Refusal {
  absl::Time at;
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  std::string why;
};

// For `status`.
struct SocketReport {
  std::string path;
  size_t connections = 0;
  int64_t accepted = 0, refused = 0;   // since the start
  std::vector<Refusal> last_refusals;  // newest first, at most kRefusalsKept
};
inline constexpr size_t kRefusalsKept = 5;

struct SocketOptions {
  std::string path;           // absolute
  mode_t folder_mode = 0755;  // of the folder, when it is made
  size_t max_connections = 256;
  size_t max_connections_per_user = 64;
  // Called from the server's thread when the report has changed, at most about once a second, and
  // about once a second in any case by `tick`.
  std::function<void(const SocketReport&)> on_report;
  std::function<void()> tick;
};

class SocketServer {
 public:
  // kFailedPrecondition: the folder is open to others, or something that is no socket is in the
  // way. kAlreadyExists: somebody answers there. kUnavailable. The services must outlive it.
  static absl::StatusOr<std::unique_ptr<SocketServer>> Start(
      SocketOptions options, PeerRules rules, const std::vector<grpc::Service*>& services);
  // Ends every call and connection and removes the socket.
  virtual ~SocketServer() = default;
  virtual SocketReport report() const = 0;
};

}  // namespace bootgate::agent::workload
