// Which hosts there are: lists with filters, in pages.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::fleet {

// All that is given must hold.
struct HostFilter {
  std::vector<host::Trust> trusts;  // one of these; none: any
  std::string selector;             // rollout/selector.h
  std::string hostname_contains;    // without regard to case
  std::string reason;               // among those of the last verdict
  std::optional<bool> overdue, approved;
};

// Silence never quarantines; the credential lapses. A host that ought to attest and was not heard
// for this long is overdue.
struct Timing {
  absl::Time now;
  absl::Duration overdue_after = absl::Minutes(20);
};
bool IsOverdue(const host::HostRecord& host, const Timing& timing);

struct HostPage {
  std::vector<host::HostRecord> hosts;  // in order of id
  std::vector<std::string> corrupt;     // ids within the page
  std::string next;                     // where the next page begins; empty: that was all
};
// At most `limit` behind `after` ("": from the first on). kInvalidArgument SELECTOR.
absl::StatusOr<HostPage> ListHosts(store::Store& store, const HostFilter& filter,
                                   const Timing& timing, const std::string& after, size_t limit);

// kInvalidArgument HOST_ID_SYNTAX; kNotFound HOST_UNKNOWN.
absl::StatusOr<host::HostRecord> FindHost(store::Store& store, const std::string& id);

// Those that are cut off or held: shut out, restricted, suspect.
std::vector<host::Trust> CutOffTrusts();

}  // namespace bootgate::gatekeeper::fleet
