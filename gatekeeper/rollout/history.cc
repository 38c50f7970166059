#include "gatekeeper/rollout/history.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "gatekeeper/rollout/versions.h"

namespace bootgate::gatekeeper::rollout {
namespace {

absl::Status Older(const std::string& what, const std::string& name, int64_t version) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kPolicyRollback,
                absl::StrCat(what, " is older than ", VersionText(name, version),
                             ", which was enforced here"));
}

}  // namespace

History::History(const std::vector<store::AssignmentRow>& steps, const std::string& selector) {
  for (const store::AssignmentRow& step : steps) {
    if (step.selector != selector) continue;
    switch (step.step) {
      case store::Step::kEnforce:
        pile_.push_back(step);
        break;
      case store::Step::kRollBack:
      case store::Step::kEnd:
        if (!pile_.empty()) pile_.pop_back();
        break;
      case store::Step::kReport:
      case store::Step::kEndReport:
        break;
    }
  }
}

const store::AssignmentRow* History::At(size_t from_top) const {
  return pile_.size() < from_top ? nullptr : &pile_[pile_.size() - from_top];
}

int64_t History::HighestOf(const std::string& name) const {
  int64_t highest = 0;
  for (const store::AssignmentRow& row : pile_) {
    if (row.name == name) highest = std::max(highest, row.version);
  }
  return highest;
}

absl::Status History::CheckForward(const store::VersionRow& wanted,
                                   const std::vector<store::VersionRow>& versions) const {
  const int64_t highest = HighestOf(wanted.name);
  const std::string what = VersionText(wanted.name, wanted.version);
  if (wanted.version < highest) return Older(what, wanted.name, highest);
  // A version pushed under force, or under another name, may still be the text of old.
  for (const store::VersionRow& row : versions) {
    if (row.document_id != wanted.document_id) continue;
    const int64_t top = HighestOf(row.name);
    const bool newer_too = std::ranges::any_of(versions, [&](const store::VersionRow& other) {
      return other.name == row.name && other.version >= top &&
             other.document_id == wanted.document_id;
    });
    if (row.version < top && !newer_too)
      return Older(
          absl::StrCat(what, ", the same text as ", VersionText(row.name, row.version), ","),
          row.name, top);
  }
  return absl::OkStatus();
}

int64_t NewestOf(const std::vector<store::AssignmentRow>& steps) {
  return steps.empty() ? 0 : steps.back().sequence;
}

}  // namespace bootgate::gatekeeper::rollout
