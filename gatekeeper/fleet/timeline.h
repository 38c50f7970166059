// All that happened to one host, in order: moves of its trust, verdicts, incidents, acts.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::fleet {

enum class EntryKind { kTrust, kVerdict, kIncident, kAudit };

struct TimelineEntry {
  absl::Time at;
  EntryKind kind = EntryKind::kAudit;
  std::string subject;        // id of the verdict or incident; of an act: its action
  std::string actor;          // empty: not told
  std::string text;           // one line, safe to print
  std::string before, after;  // of kTrust: states
};

// How far back it goes at most, newest ones first; what is older is left out.
inline constexpr int kMaxVerdicts = 2000;
inline constexpr int64_t kMaxAuditRows = 1'000'000;  // looked at, of all hosts

struct TimelineQuery {
  std::string host_id;
  std::set<EntryKind> kinds;  // none: all
  absl::Time since = absl::InfinitePast();
};
// Oldest first. kNotFound HOST_UNKNOWN.
absl::StatusOr<std::vector<TimelineEntry>> TimelineOf(store::Store& store,
                                                      const TimelineQuery& query);

}  // namespace bootgate::gatekeeper::fleet
