#include "gatekeeper/audit/verify.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/audit_chain.h"

namespace bootgate::gatekeeper::audit {
namespace {

constexpr int kPageRows = 1000;

absl::Status FollowRows(store::Store& store, TrailCheck& check) {
  int64_t after = 0;
  for (;;) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::AuditRow> rows, store.ListAudit(after, kPageRows));
    if (rows.empty()) return absl::OkStatus();
    for (const store::AuditRow& row : rows) check.Row(row);
    after = rows.back().sequence;
  }
}

void CheckHead(const store::AuditHead& head, const store::AuditHead& newest, TrailCheck& check) {
  const store::AuditHead& last = check.last();
  if (last.sequence < head.sequence) {
    check.Complain(last.sequence + 1,
                   absl::StrCat("audit row ", last.sequence + 1,
                                " is missing, as are all up to row ", head.sequence));
  } else if (last.sequence > newest.sequence ||
             (last.sequence == newest.sequence && last.chain != newest.chain)) {
    check.Complain(last.sequence,
                   absl::StrCat("audit row ", last.sequence, " is not the newest row told"));
  }
}

absl::StatusOr<Verification> Verify(store::Store& store,
                                    const std::vector<store::CheckpointRow>& checkpoints,
                                    const CheckpointKeys* keys, const KeptTrail& kept) {
  // Rows that were written while we read lie before this head or after it, never in its place.
  BG_ASSIGN_OR_RETURN(const store::AuditHead head, store.GetAuditHead());
  TrailCheck check({.sequence = 0, .chain = store::ChainStart()}, keys, kept);
  for (const store::CheckpointRow& checkpoint : checkpoints) check.Checkpoint(checkpoint);
  BG_RETURN_IF_ERROR(FollowRows(store, check));
  BG_ASSIGN_OR_RETURN(const store::AuditHead newest, store.GetAuditHead());
  CheckHead(head, newest, check);
  return check.Finish();
}

}  // namespace

absl::StatusOr<Verification> VerifyTrail(store::Store& store, const CheckpointKeys& keys,
                                         const KeptTrail& kept) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::CheckpointRow> checkpoints, store.ListCheckpoints());
  return Verify(store, checkpoints, &keys, kept);
}

absl::StatusOr<int64_t> VerifyAuditChain(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const Verification found, Verify(store, {}, nullptr, {}));
  BG_RETURN_IF_ERROR(AsStatus(found));
  return found.rows;
}

}  // namespace bootgate::gatekeeper::audit
