#include "gatekeeper/audit/verify.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/audit_chain.h"

namespace bootgate::gatekeeper::audit {
namespace {

constexpr int kPageRows = 1000;

// Checks the rows after `last` and moves it to the last of them.
absl::Status FollowRows(store::Store& store, store::AuditHead* last) {
  for (;;) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::AuditRow> rows,
                        store.ListAudit(last->sequence, kPageRows));
    if (rows.empty()) return absl::OkStatus();
    for (const store::AuditRow& row : rows) {
      BG_RETURN_IF_ERROR(store::CheckFollows(*last, row));
      *last = {.sequence = row.sequence, .chain = row.chain};
    }
  }
}

}  // namespace

absl::StatusOr<int64_t> VerifyAuditChain(store::Store& store) {
  // Rows that were written while we read lie before this head or after it, never in its place.
  BG_ASSIGN_OR_RETURN(const store::AuditHead head, store.GetAuditHead());
  store::AuditHead last = {.sequence = 0, .chain = store::ChainStart()};
  BG_RETURN_IF_ERROR(FollowRows(store, &last));
  BG_ASSIGN_OR_RETURN(const store::AuditHead newest, store.GetAuditHead());
  if (last.sequence < head.sequence) {
    return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                  absl::StrCat("audit row ", last.sequence + 1,
                               " is missing, as are all up to row ", head.sequence));
  }
  if (last.sequence > newest.sequence ||
      (last.sequence == newest.sequence && last.chain != newest.chain)) {
    return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                  absl::StrCat("audit row ", last.sequence, " is not the newest row told"));
  }
  return last.sequence;
}

}  // namespace bootgate::gatekeeper::audit
