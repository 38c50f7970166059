// Incidents as operators look at them. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::incident {

// One line of what happened, of the incident and of its host while it lasted.
struct TimelineEntry {
  absl::Time at;
  std::string actor;  // as of AuditRow; empty: not known
  std::string kind;   // "opened", "failure", "note", "assigned", "state", "trust", ...
  std::string text;
};

struct Detail {
  store::IncidentRow incident;
  std::optional<host::HostRecord> host;            // none: its record cannot be read
  std::optional<store::VerdictRow> first_verdict;  // none: opened by an operator, or gone by age
  store::EvidenceParts evidence;                   // that is kept
  std::vector<TimelineEntry> timeline;             // oldest first
  std::vector<std::string> next;                   // what operators may do now: verbs, in words
};

// INCIDENT_UNKNOWN.
absl::StatusOr<Detail> Get(store::Store& store, const std::string& id);

// What must hold for an incident to be listed; an empty field asks for nothing.
struct Filter {
  std::string host_id;
  std::vector<std::string> states;  // INCIDENT_STATE for a name that is no state's
  std::string assignee;
  bool unassigned = false;
  std::string reason;  // a code that is among its reasons
  std::string action;  // "restrict", "isolate"
  std::optional<absl::Time> opened_after, opened_before;
};

// Newest first.
absl::StatusOr<std::vector<store::IncidentRow>> List(store::Store& store, const Filter& filter);

}  // namespace bootgate::gatekeeper::incident
