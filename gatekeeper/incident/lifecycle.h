// The life of an incident, moved by operators: open -> investigating -> resolved -> closed.
//
//   Assign       whose it is; nobody's again with an empty name
//   Note         a line in its timeline
//   Resolve      root cause, disposition and ticket, all needed; a later one replaces them until
//                the host is released
//   Close        only where nobody waits for it any more: the host is retired, or trusted again
//
// None of these moves the host: that it is investigated, and that it is released after Resolve, are
// acts on the host and its incident together (gatekeeper/quarantine/acts.h); what lets it back is
// evidence of a later boot. Each act is one commit with the incident's new state, its line in
// the timeline, a change for those who are told, and an audit row with before and after.
//
// Errors of all: INCIDENT_UNKNOWN; INCIDENT_STATE names the state and what is allowed in it;
// REVISION_STALE when the incident is not at the revision given; MESSAGE_MALFORMED for a text that
// is empty where it must not be, too long, or not printable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::incident {

// States of IncidentRow::state.
inline constexpr absl::string_view kOpen = "open", kInvestigating = "investigating",
                                   kResolved = "resolved", kClosed = "closed";

// What it turned out to be.
enum class Disposition {
  kHardwareFault,
  kMisconfiguration,
  kPlannedChange,
  kCompromise,
  kFalsePositive,
  kOther
};
absl::string_view Name(Disposition disposition);  // "hardware-fault", ...
std::vector<std::string> DispositionNames();

inline constexpr size_t kMaxRootCause = 2000;  // bytes
inline constexpr size_t kMaxNote = 4000;       // bytes
inline constexpr size_t kMaxTicket = 128;      // bytes
inline constexpr size_t kMaxAssignee = 128;    // bytes
inline constexpr size_t kMaxWhy = 1000;        // bytes

// Who acts, when, and on which state of the incident.
struct Act {
  std::string actor;  // "operator alice": audit::OperatorActor
  absl::Time now;
  uint64_t revision = 0;  // that the operator saw; 0: whatever it is now
};

struct Resolution {
  std::string root_cause, disposition, ticket;
};

absl::StatusOr<store::IncidentRow> Assign(store::Store& store, const std::string& id,
                                          const std::string& assignee, const Act& act);
absl::StatusOr<store::IncidentRow> Note(store::Store& store, const std::string& id,
                                        const std::string& text, const Act& act);
absl::StatusOr<store::IncidentRow> Resolve(store::Store& store, const std::string& id,
                                           const Resolution& resolution, const Act& act);
// `why`: may be empty.
absl::StatusOr<store::IncidentRow> Close(store::Store& store, const std::string& id,
                                         const std::string& why, const Act& act);

}  // namespace bootgate::gatekeeper::incident
