// `audit ...` and `whoami`: who did what, and whether the trail is whole.
#pragma once

#include <string>

#include "gatekeeper/client/console.h"

namespace bootgate::gatekeeper::client {

struct AuditListOptions {
  std::string actor, action, subject;  // action: "host.approve", or "host.*"
  std::string since, until;            // a time, or a duration before now
  int limit = 0;                       // 0: all
};
ExitCode AuditList(const Console& console, const AuditListOptions& options);
// kInternal when rows were changed, removed or replaced.
ExitCode AuditVerify(const Console& console);
// JSON lines to `file`, whole or not at all.
ExitCode AuditExport(const Console& console, const std::string& file);

ExitCode WhoAmI(const Console& console);

}  // namespace bootgate::gatekeeper::client
