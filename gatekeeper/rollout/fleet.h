// What a policy changes for whom, over all hosts of a store.
//
// Counted by each host's last verdict. While a policy is reported on, that verdict has both
// outcomes; before that, the policy is planned on the facts that the verdict kept (judged.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/judged.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::rollout {

struct Change {
  std::string host_id, hostname;
  std::string from, to;            // outcomes
  std::vector<std::string> codes;  // of what denies it: after, or before
  std::string why;
};
struct NotCompared {
  std::string host_id, why;
};
struct Difference {
  int64_t hosts = 0;  // whom the policy would apply to
  int64_t same = 0;
  std::vector<Change> to_deny, to_admit;
  std::vector<NotCompared> not_compared;
};

// Of the policy that is reported on for `selector`. kNotFound: none is.
absl::StatusOr<Difference> ReportedDifference(store::Store& store, const std::string& selector);

// What enforcing `policy` for `selector` comes to: a report where the host's last verdict has one
// of this very policy, else a plan.
absl::StatusOr<Difference> PlannedDifference(store::Store& store, const std::string& selector,
                                             const policy::Policy& policy, uint32_t quoted_mask);

}  // namespace bootgate::gatekeeper::rollout
