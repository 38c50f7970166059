#include "gatekeeper/rollout/assignments.h"

#include <algorithm>
#include <utility>

#include "gatekeeper/rollout/selector.h"

namespace bootgate::gatekeeper::rollout {
namespace {

bool IsReport(const store::AssignmentRow& row) { return row.step == store::Step::kReport; }

}  // namespace

Assignments::Assignments(std::vector<store::AssignmentRow> rows) : rows_(std::move(rows)) {
  std::ranges::sort(rows_, [](const store::AssignmentRow& a, const store::AssignmentRow& b) {
    // Of one selector what is reported on comes first: it would replace what is enforced.
    if (a.selector == b.selector) return IsReport(a) && !IsReport(b);
    return IsMoreSpecific(a.selector, b.selector);
  });
}

Applied Assignments::For(const std::map<std::string, std::string>& labels) const {
  Applied applied;
  for (const store::AssignmentRow& row : rows_) {
    if (!Fits(row.selector, labels)) continue;
    if (!IsReport(row)) {
      applied.enforced = &row;
      return applied;
    }
    if (applied.candidate == nullptr) applied.candidate = &row;
  }
  return applied;
}

Applied Assignments::Of(const std::string& selector) const {
  Applied applied;
  for (const store::AssignmentRow& row : rows_) {
    if (row.selector != selector) continue;
    (IsReport(row) ? applied.candidate : applied.enforced) = &row;
  }
  return applied;
}

}  // namespace bootgate::gatekeeper::rollout
