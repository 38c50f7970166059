// What the steps of the past allow for the next one. Pure.
//
// For one selector the history is a pile: enforcing puts a policy on top, rolling back takes the
// top off. An old version comes back only so, or when an operator forces it and says why: whoever
// can activate policies cannot quietly bring a weaker one back (attack A83).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::rollout {

class History {
 public:
  // `steps`: of one kind, oldest first (Store::ListSteps); those of other selectors are passed
  // over.
  History(const std::vector<store::AssignmentRow>& steps, const std::string& selector);

  // What is enforced, and what was before it; nullptr: nothing. Borrowed from this.
  const store::AssignmentRow* enforced() const { return At(1); }
  const store::AssignmentRow* before() const { return At(2); }

  // May `wanted` be enforced now? POLICY_ROLLBACK when a higher version of its name lies in the
  // pile; also when the same text, under whatever name, is such an older version.
  // `versions`: of all names.
  absl::Status CheckForward(const store::VersionRow& wanted,
                            const std::vector<store::VersionRow>& versions) const;

 private:
  const store::AssignmentRow* At(size_t from_top) const;
  int64_t HighestOf(const std::string& name) const;  // 0: none

  std::vector<store::AssignmentRow> pile_;
};

// The newest step's number, for Store::Assign; 0: there is none.
int64_t NewestOf(const std::vector<store::AssignmentRow>& steps);

}  // namespace bootgate::gatekeeper::rollout
