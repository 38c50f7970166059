// Rows of the audit trail by who, what, about whom and when.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::audit {

// All that is given must hold.
struct AuditFilter {
  std::string actor;
  std::string action;  // "host.approve"; "host.*": all of that noun
  std::string subject;
  absl::Time since = absl::InfinitePast(), until = absl::InfiniteFuture();  // until: not included
};

struct AuditPage {
  std::vector<store::AuditRow> rows;  // oldest first
  int64_t next = 0;  // go on behind this row; 0: that was all. A page may be empty and not the last
};
// At most `limit` behind row `after`. Looks at a bounded number of rows.
absl::StatusOr<AuditPage> ListTrail(store::Store& store, const AuditFilter& filter, int64_t after,
                                    size_t limit);

}  // namespace bootgate::gatekeeper::audit
