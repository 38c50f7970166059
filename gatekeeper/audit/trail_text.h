// The audit trail as text, one JSON object a line: what `audit export` writes, and what can be
// verified offline.
//
//   {"kind":"trail","version":1,"after":0,"chain":"00..."}        the first line
//   {"kind":"row","number":1,"at":"2026-11-22T11:45:00.5Z","actor":...,"action":...,"subject":...,
//    "detail_json":"{...}","chain":"..."}
//   {"kind":"checkpoint","number":1,"at":...,"chain":...,"key_id":...,"signature":"base64"}
//   {"kind":"end","last":1}                                       the last line
//
// A checkpoint stands behind its row. Times are exact, so that chain values can be computed anew.
// Checkpoints are also read from the gatekeeper's log (checkpointer.h).
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/audit/trail_check.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::audit {

inline constexpr absl::string_view kCheckpointMessage = "audit checkpoint";
inline constexpr size_t kMaxLineBytes = size_t{4} << 20;

std::string ExactTime(absl::Time time);  // RFC 3339 in UTC, to the nanosecond

// Writes a store's trail piece by piece; rows that come after it was made are left out.
class TrailExport {
 public:
  // Rows behind `after`. kNotFound: there is no such row.
  static absl::StatusOr<TrailExport> Open(store::Store& store, int64_t after);

  // Whole lines; empty: that was all. At most about `max_bytes`, and at least a line.
  absl::StatusOr<std::string> Next(size_t max_bytes);
  int64_t last() const { return last_; }  // number of the last row that was written

 private:
  TrailExport(store::Store& store, store::AuditHead start, store::AuditHead head)
      : store_(&store), start_(std::move(start)), head_(std::move(head)), last_(start_.sequence) {}

  store::Store* store_;  // never null
  store::AuditHead start_, head_;
  int64_t last_;
  std::vector<store::CheckpointRow> checkpoints_;  // from next_checkpoint_ on still to be written
  size_t next_checkpoint_ = 0;
  std::vector<store::AuditRow> rows_;  // read ahead, from next_row_ on
  size_t next_row_ = 0;
  bool begun_ = false, ended_ = false;
};

// Verifies an export without a gatekeeper; `keys`: null: but for the signatures. kInvalidArgument
// names the line that is none.
absl::StatusOr<Verification> VerifyText(std::istream& in, const CheckpointKeys* keys,
                                        const KeptTrail& kept = {});

// Adds the checkpoints, and the rows' chain values, that stand in an export or a log; other lines
// are passed over. kInvalidArgument: a line of ours is malformed, or there is none of ours at all.
absl::Status ReadKept(std::istream& in, KeptTrail* kept);

}  // namespace bootgate::gatekeeper::audit
