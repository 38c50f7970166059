// `incident ...`: what was found, who works on it, what came of it.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/client/console.h"

namespace bootgate::gatekeeper::client {

struct IncidentListOptions {
  std::vector<std::string> states;  // none: all but closed
  std::string host_id, assignee, reason, selector;
  int limit = 0;  // 0: all
};
ExitCode IncidentList(const Console& console, const IncidentListOptions& options);
ExitCode IncidentShow(const Console& console, const std::string& incident_id);

ExitCode IncidentAssign(const Console& console, const std::string& incident_id,
                        const std::string& assignee);
ExitCode IncidentNote(const Console& console, const std::string& incident_id,
                      const std::string& text);

struct IncidentResolveOptions {
  std::string incident_id, root_cause, disposition, ticket;
};
ExitCode IncidentResolve(const Console& console, const IncidentResolveOptions& options);
ExitCode IncidentClose(const Console& console, const std::string& incident_id,
                       const std::string& reason);

struct IncidentDiffOptions {
  std::string incident_id;
  std::string against = "admitted";  // or "peer"
  std::string peer;                  // host id; empty: one is chosen
};
ExitCode IncidentDiff(const Console& console, const IncidentDiffOptions& options);

// Writes the archive to `file`, whole or not at all.
ExitCode IncidentExport(const Console& console, const std::string& incident_id,
                        const std::string& file);

}  // namespace bootgate::gatekeeper::client
