// Who may speak at the agent's socket: users and groups of the configuration, root, and the agent's
// own user. Everybody else is nobody.
//
// What is judged is what the kernel says of the process that connected (SO_PEERCRED, SO_PEERGROUPS:
// unix(7)), never what it says of itself.
#pragma once

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bootgate::agent::workload {

// The process at the other end when it connected.
struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones
  pid_t pid = 0;              // for people: it may be another process's by now
};

// Of a connected unix socket. kUnavailable: the kernel does not say.
absl::StatusOr<Peer> PeerOfSocket(int fd);

// Of a group by name or number; nullopt: this host knows none of that name.
std::optional<gid_t> GroupNumber(const std::string& name_or_number);

class PeerRules {
 public:
  // `allow`: "user:NAME", "uid:NUMBER", "group:NAME", "gid:NUMBER"; a name is good for a number and
  // the reverse. kInvalidArgument names the entry: another form, a name that this host does not
  // know, or the user and group that stand for "somebody of another namespace" (65534).
  static absl::StatusOr<PeerRules> Parse(const std::vector<std::string>& allow);

  // OK, or kPermissionDenied WORKLOAD_DENIED with what to put into the configuration.
  absl::Status Check(const Peer& peer) const;

 private:
  PeerRules() = default;
  std::set<uid_t> users_;
  std::set<gid_t> groups_;
};

}  // namespace bootgate::agent::workload
