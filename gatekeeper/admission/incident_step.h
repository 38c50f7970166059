// What a verdict makes of the host's incident: opens it, adds a failure, opens it again, closes it.
// Pure.
//
// A first failure opens an incident; later ones of the same host are counted in it. A failure that
// moves the host makes it what it came to (restrict, isolate) and ends whatever people had
// resolved. A host that comes back after its release closes it. The incident of a host that was
// restricted and passes again stays open: people close it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gatekeeper/admission/commit.h"

namespace bootgate::gatekeeper::admission {

inline constexpr char kIncidentOpen[] = "open", kIncidentResolved[] = "resolved",
                      kIncidentClosed[] = "closed";

struct IncidentStep {
  std::optional<store::IncidentRow> row;
  std::vector<store::IncidentEventRow> events;
  std::vector<store::ChangeRow> changes;
  std::string host_has;  // HostRecord::incident_id afterwards
};
IncidentStep StepOfIncident(const DecisionFacts& facts);

// Codes of the findings that fail, each once; the text of the first of them.
std::vector<std::string> FailedCodes(const Verdict& verdict);
std::string FirstFailure(const Verdict& verdict);

}  // namespace bootgate::gatekeeper::admission
