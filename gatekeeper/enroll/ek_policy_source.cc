#include "gatekeeper/enroll/ek_policy_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "gatekeeper/enroll/ek_documents.h"

namespace bootgate::gatekeeper::enroll {

absl::StatusOr<std::string> EkPolicySource::Standing() {
  std::string all;
  for (const char* const kind : {kEkRootKind, kAkRootKind, kEkCrlKind, kEkDistrustKind}) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> rows, store_.ListAssignments(kind));
    for (const store::AssignmentRow& row : rows) {
      absl::StrAppend(&all, kind, "\n", row.selector, "\n", row.document_id, "\n");
    }
  }
  return all;
}

absl::StatusOr<std::shared_ptr<const EkPolicy>> EkPolicySource::Read() {
  EkPolicy policy = configured_;
  BG_RETURN_IF_ERROR(AddStandingAnchors(store_, kEkRootKind, policy.anchors));
  BG_RETURN_IF_ERROR(AddStandingAnchors(store_, kAkRootKind, policy.ak_anchors));
  BG_RETURN_IF_ERROR(AddStandingCrls(store_, policy.crls));
  BG_RETURN_IF_ERROR(AddStandingDistrust(store_, policy.distrust));
  return std::make_shared<const EkPolicy>(std::move(policy));
}

absl::StatusOr<std::shared_ptr<const EkPolicy>> EkPolicySource::Current() {
  const std::lock_guard lock(mutex_);
  // Before what it stands for: a change between the two reads is seen the next time.
  BG_ASSIGN_OR_RETURN(const int64_t change, store_.ChangeCounter());
  if (current_ != nullptr && change == seen_change_) return current_;
  BG_ASSIGN_OR_RETURN(std::string standing, Standing());
  if (current_ == nullptr || standing != seen_standing_) {
    BG_ASSIGN_OR_RETURN(current_, Read());
    seen_standing_ = std::move(standing);
  }
  seen_change_ = change;
  return current_;
}

}  // namespace bootgate::gatekeeper::enroll
