// Verbs `join-token create|list|show|revoke`: one file that is all a new host needs.
#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

struct JoinTokenOptions {
  std::string gatekeeper;   // address that agents dial
  std::string server_name;  // empty: the host part of `gatekeeper`
  std::string cluster_id;
  std::string ca_pem;  // the root that agents pin
  std::map<std::string, std::string> labels;
  int uses = 1;
  absl::Duration ttl = absl::Hours(1);
  bool approves = false;  // hosts that join with it need no `host approve`
  std::string out_file;   // written 0600; "-": standard output
};

ExitCode JoinTokenCreate(const Operator& op, const JoinTokenOptions& options);

ExitCode JoinTokenList(const Operator& op);
ExitCode JoinTokenShow(const Operator& op, const std::string& id);
// Nobody joins with it any more; hosts that did stay. Again on a revoked one: success.
ExitCode JoinTokenRevoke(const Operator& op, const std::string& id);

}  // namespace bootgate::gatekeeper::cli
