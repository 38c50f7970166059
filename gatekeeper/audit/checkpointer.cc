#include "gatekeeper/audit/checkpointer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/trail_text.h"
#include "gatekeeper/store/audit_chain.h"

namespace bootgate::gatekeeper::audit {
namespace {

constexpr int kPageRows = 1000;

absl::Status Broken(absl::string_view what) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kAuditBroken, what);
}

// The rows behind `from` lead to `head`.
absl::Status Follow(store::Store& store, store::AuditHead from, const store::AuditHead& head) {
  while (from.sequence < head.sequence) {
    const auto wanted = std::min<int64_t>(kPageRows, head.sequence - from.sequence);
    BG_ASSIGN_OR_RETURN(const std::vector<store::AuditRow> rows,
                        store.ListAudit(from.sequence, static_cast<int>(wanted)));
    if (rows.empty()) return Broken(absl::StrCat("audit row ", from.sequence + 1, " is missing"));
    for (const store::AuditRow& row : rows) {
      const absl::Status follows = store::CheckFollows(from, row);
      if (!follows.ok()) return Broken(follows.message());
      from = {.sequence = row.sequence, .chain = row.chain};
    }
  }
  return SameBytes(from.chain, head.chain)
             ? absl::OkStatus()
             : Broken(absl::StrCat("audit row ", from.sequence, " is not the newest row told"));
}

}  // namespace

// The newest one in the store that is really ours; else the whole trail is followed.
absl::Status Checkpointer::TakeUp(absl::Time now) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::CheckpointRow> rows, store_.ListCheckpoints());
  last_ = store::AuditHead{.sequence = 0, .chain = store::ChainStart()};
  last_at_ = now;
  const CheckpointKeys keys = {{key_.id, key_.key->Public()}};
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (!CheckCheckpoint(*row, keys).ok()) continue;
    last_ = store::AuditHead{.sequence = row->sequence, .chain = row->chain};
    last_at_ = std::min(row->at, now);
    break;
  }
  return absl::OkStatus();
}

absl::Status Checkpointer::Sign(const store::AuditHead& head, absl::Time now) {
  last_at_ = now;  // a trail that is broken is told now and then, not each second
  if (head.sequence < last_->sequence) {
    return Broken(absl::StrCat("the audit trail ends with row ", head.sequence,
                               ", and a checkpoint vouches for row ", last_->sequence));
  }
  BG_RETURN_IF_ERROR(Follow(store_, *last_, head));
  BG_ASSIGN_OR_RETURN(const store::CheckpointRow row, SignCheckpoint(*key_.key, head, now));
  BG_RETURN_IF_ERROR(store_.PutCheckpoint(row));
  last_ = head;
  Log(LogLevel::kInfo, kCheckpointMessage,
      {{"number", absl::StrCat(row.sequence)},
       {"at", ExactTime(row.at)},
       {"chain", ToHex(row.chain)},
       {"key_id", row.key_id},
       {"signature", ToBase64(row.signature)}});
  return absl::OkStatus();
}

absl::Status Checkpointer::Tend(absl::Time now) {
  if (!last_.has_value()) BG_RETURN_IF_ERROR(TakeUp(now));
  last_at_ = std::min(last_at_, now);  // the clock was set back
  BG_ASSIGN_OR_RETURN(const store::AuditHead head, store_.GetAuditHead());
  const bool anything = head.sequence != last_->sequence || head.chain != last_->chain;
  const bool due = head.sequence - last_->sequence >= pace_.rows || now - last_at_ >= pace_.time;
  return anything && head.sequence > 0 && due ? Sign(head, now) : absl::OkStatus();
}

absl::Status Checkpointer::Stop(absl::Time now) {
  if (!last_.has_value()) BG_RETURN_IF_ERROR(TakeUp(now));
  BG_ASSIGN_OR_RETURN(const store::AuditHead head, store_.GetAuditHead());
  const bool anything = head.sequence != last_->sequence || head.chain != last_->chain;
  return anything && head.sequence > 0 ? Sign(head, now) : absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::audit
