// `host ...`: which hosts there are, and what an operator changes of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gatekeeper/client/console.h"

namespace bootgate::gatekeeper::client {

struct HostListOptions {
  std::vector<std::string> states;  // "trusted", ...; none: all
  std::string selector, name, reason;
  bool overdue = false, waiting = false;  // silent too long; not approved yet
  int limit = 0;                          // 0: all
};
ExitCode HostList(const Console& console, const HostListOptions& options);
ExitCode HostShow(const Console& console, const std::string& host_id);

struct HostLabelOptions {
  Targets targets;
  std::vector<std::string> labels;  // "name=value", or "name-" to take it away
  bool replace = false;
  std::string reason;
};
ExitCode HostLabel(const Console& console, const HostLabelOptions& options);

struct HostActOptions {
  Targets targets;
  std::string reason, ticket;
};
ExitCode HostApprove(const Console& console, const HostActOptions& options);
ExitCode HostRetire(const Console& console, const HostActOptions& options);
ExitCode HostReinstate(const Console& console, const HostActOptions& options);
ExitCode HostAcceptClear(const Console& console, const HostActOptions& options);  // one host
ExitCode HostSwapTpm(const Console& console, const HostActOptions& options,
                     const std::string& new_id);

struct HostWaitOptions {
  std::string host_id;
  std::string state = "trusted";
  absl::Duration timeout = absl::Minutes(5);
};
// Until the host is in that state: kTimedOut when it does not come to it.
ExitCode HostWait(const Console& console, const HostWaitOptions& options);

struct HostTimelineOptions {
  std::string host_id, since;      // a time or a duration before now; empty: from the first on
  std::vector<std::string> kinds;  // "trust", "verdict", "incident", "audit"; none: all
};
ExitCode HostTimeline(const Console& console, const HostTimelineOptions& options);

}  // namespace bootgate::gatekeeper::client
