// `quarantine ...` and `brake ...`: who is cut off, and the way out.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/client/console.h"

namespace bootgate::gatekeeper::client {

struct QuarantineListOptions {
  std::vector<std::string> states;  // none: all that are cut off, restricted or held
  std::string selector, reason;
};
ExitCode QuarantineList(const Console& console, const QuarantineListOptions& options);
ExitCode QuarantineShow(const Console& console, const std::string& host_id);

struct QuarantineActOptions {
  Targets targets;
  std::string reason, ticket;
};
ExitCode QuarantineAdd(const Console& console, const QuarantineActOptions& options);
ExitCode QuarantineRelease(const Console& console, const QuarantineActOptions& options);
ExitCode QuarantineInvestigate(const Console& console, const QuarantineActOptions& options);
ExitCode QuarantineReopen(const Console& console, const QuarantineActOptions& options);

ExitCode BrakeStatus(const Console& console);
// `decision`: "confirm" or "forgive".
ExitCode BrakeRelease(const Console& console, const std::string& decision,
                      const std::string& reason);

}  // namespace bootgate::gatekeeper::client
