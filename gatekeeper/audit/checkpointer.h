// Signs a checkpoint of the audit trail now and then: after so many rows, after so long, at the
// end.
//
// Before it signs it follows the rows since its last checkpoint: a trail that was tampered with in
// between is not vouched for, but told (AUDIT_BROKEN in the log). Each checkpoint is a line of the
// log, too, so that a copy lies where the log goes:
//
//   {"time":..., "message":"audit checkpoint", "number":"1042", "at":..., "chain":...,
//   "key_id":...,
//    "signature":...}
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gatekeeper/audit/key_folder.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::audit {

struct CheckpointPace {
  int64_t rows = 1000;
  absl::Duration time = absl::Minutes(5);  // when there is any new row
};

// One thread at a time. The store must outlive it.
class Checkpointer {
 public:
  Checkpointer(store::Store& store, CheckpointKey key, CheckpointPace pace = {})
      : store_(store), key_(std::move(key)), pace_(pace) {}

  // Signs when it is due. AUDIT_BROKEN, and the store's errors.
  absl::Status Tend(absl::Time now);
  // Signs unless nothing is new.
  absl::Status Stop(absl::Time now);

 private:
  absl::Status TakeUp(absl::Time now);
  absl::Status Sign(const store::AuditHead& head, absl::Time now);

  store::Store& store_;
  const CheckpointKey key_;
  const CheckpointPace pace_;
  std::optional<store::AuditHead> last_;  // of our last checkpoint
  absl::Time last_at_;
};

}  // namespace bootgate::gatekeeper::audit
