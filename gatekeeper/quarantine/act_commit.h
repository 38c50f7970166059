// The one commit that an operator's act on a host is. For acts.cc and brake_release.cc.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/audit/detail.h"
#include "gatekeeper/quarantine/acts.h"

namespace bootgate::gatekeeper::quarantine {

inline constexpr char kIncidentOpen[] = "open", kIncidentInvestigating[] = "investigating",
                      kIncidentResolved[] = "resolved", kIncidentClosed[] = "closed";

// A host and its incident that is not closed, as read; and what is to become of them.
struct Case {
  host::HostRecord before;
  std::optional<store::IncidentRow> incident_before;
  host::HostRecord host;
  std::optional<store::IncidentRow> incident;
  store::Commit commit;
  audit::Detail detail;
  std::string why;  // one line
};

// kFailedPrecondition HOST_STATE: what the act is for, in the caller's words.
absl::Status WrongState(const host::HostRecord& host, absl::string_view way_on);

// Text that stays in the history. kInvalidArgument.
absl::Status CheckReason(absl::string_view reason);

// Writes down what happened to the incident, under `kind`.
void Note(const By& by, absl::string_view kind, std::string text, Case* of);
// The incident's next state, with its line in the history and the change that others are told.
void MoveIncident(const By& by, absl::string_view state, absl::string_view why, Case* of);

// Takes the move in the host's record, with its effects.
void TakeMove(const By& by, host::Act act, const host::Move& move, Case* of);

// Changes the case; false: there is nothing to do.
using Edit = std::function<absl::StatusOr<bool>(Case*)>;
// Reads, edits, commits; again when somebody else was faster.
absl::StatusOr<Acted> CommitAct(store::Store& store, const By& by, const std::string& host_id,
                                absl::string_view action, const Edit& edit);

}  // namespace bootgate::gatekeeper::quarantine
