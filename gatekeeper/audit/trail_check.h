// Walks the rows of an audit trail, from a store or from an export, and names each place where it
// is not what it was: rows that are gone, rows that were changed, a chain that was made anew, an
// end that was cut off.
//
// Pure: whoever calls it brings the rows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gatekeeper/audit/checkpoint.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::audit {

inline constexpr size_t kMaxProblems = 100;

struct Problem {
  int64_t number = 0;  // of the row; 0: of none
  std::string text;    // one line
};

struct Verification {
  int64_t rows = 0;
  int64_t last = 0;         // number of the last row
  int64_t checkpoints = 0;  // whose signature verified, and that meet the chain
  int64_t kept = 0;         // of those kept elsewhere: checkpoints and rows that were compared
  std::vector<Problem> problems;  // at most kMaxProblems
  bool more_problems = false;
  bool signatures_checked = true;

  bool intact() const { return problems.empty(); }
};

// kDataLoss AUDIT_BROKEN with the first problem and how many there are.
absl::Status AsStatus(const Verification& verification);

// What was kept outside the gatekeeper, and is believed: checkpoints from its log, and rows of an
// earlier export.
struct KeptTrail {
  std::vector<store::CheckpointRow> checkpoints;
  std::map<int64_t, Bytes> chains;  // row -> chain value
};

class TrailCheck {
 public:
  // `start`: what the first row must follow. `keys`: null: signatures are not checked, which is
  // told in the answer. What is referred to must outlive this.
  TrailCheck(store::AuditHead start, const CheckpointKeys* keys, const KeptTrail& kept);

  void Row(const store::AuditRow& row);
  // One that lies beside the rows, in any order with them.
  void Checkpoint(const store::CheckpointRow& checkpoint);
  void Complain(int64_t number, std::string text);
  const store::AuditHead& last() const { return last_; }

  // After the last row.
  Verification Finish();

 private:
  struct Expected {
    Bytes chain;
    absl::Time at;
    bool kept = false;
  };
  void Compare(int64_t number, ByteView chain, const Expected& expected);
  void CompareWithKept(const store::AuditRow& row);

  const CheckpointKeys* keys_;  // may be null
  const KeptTrail& kept_;
  const int64_t begin_;  // rows up to here are not asked for
  store::AuditHead last_;
  int64_t last_good_ = 0;                              // newest row that a checkpoint vouches for
  std::map<int64_t, std::vector<Expected>> expected_;  // at rows still to come
  bool kept_differs_ = false;
  Verification out_;
};

}  // namespace bootgate::gatekeeper::audit
