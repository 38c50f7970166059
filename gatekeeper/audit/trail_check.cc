#include "gatekeeper/audit/trail_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "gatekeeper/store/audit_chain.h"

namespace bootgate::gatekeeper::audit {

absl::Status AsStatus(const Verification& verification) {
  if (verification.intact()) return absl::OkStatus();
  const size_t more = verification.problems.size() - 1;
  return Refuse(absl::StatusCode::kDataLoss, Reason::kAuditBroken,
                absl::StrCat(verification.problems.front().text,
                             more == 0 ? "" : absl::StrCat(" (and ", more, " more problems)")));
}

TrailCheck::TrailCheck(store::AuditHead start, const CheckpointKeys* keys, const KeptTrail& kept)
    : keys_(keys), kept_(kept), begin_(start.sequence), last_(std::move(start)) {
  last_good_ = begin_;
  out_.signatures_checked = keys != nullptr;
  for (const store::CheckpointRow& row : kept.checkpoints) {
    if (row.sequence <= begin_) continue;
    if (keys != nullptr && keys->contains(row.key_id)) {
      const absl::Status good = CheckCheckpoint(row, *keys);
      if (!good.ok()) Complain(row.sequence, absl::StrCat("kept elsewhere: ", good.message()));
    }
    expected_[row.sequence].push_back({.chain = row.chain, .at = row.at, .kept = true});
  }
}

void TrailCheck::Complain(int64_t number, std::string text) {
  if (out_.problems.size() < kMaxProblems) {
    out_.problems.push_back({number, std::move(text)});
  } else {
    out_.more_problems = true;
  }
}

void TrailCheck::Compare(int64_t number, ByteView chain, const Expected& expected) {
  if (SameBytes(chain, expected.chain)) {
    expected.kept ? ++out_.kept : ++out_.checkpoints;
    last_good_ = std::max(last_good_, number);
    return;
  }
  Complain(number, absl::StrCat("audit rows ", last_good_ + 1, " to ", number,
                                " were replaced, or one of them: the checkpoint ",
                                expected.kept ? "kept elsewhere, " : "", "signed ",
                                FormatUtc(expected.at), ", vouches for another row ", number));
}

// The first row that differs tells where; all behind it differ with it.
void TrailCheck::CompareWithKept(const store::AuditRow& row) {
  const auto kept = kept_.chains.find(row.sequence);
  if (kept == kept_.chains.end() || kept_differs_) return;
  ++out_.kept;
  if (SameBytes(kept->second, row.chain)) return;
  kept_differs_ = true;
  Complain(row.sequence, absl::StrCat("audit row ", row.sequence,
                                      " is not the row that was exported, and the chain was made "
                                      "anew from there on"));
}

void TrailCheck::Row(const store::AuditRow& row) {
  if (row.sequence <= last_.sequence) {
    Complain(row.sequence,
             absl::StrCat("audit row ", row.sequence, " stands behind row ", last_.sequence));
    return;
  }
  if (row.sequence > last_.sequence + 1) {
    const int64_t first = last_.sequence + 1;
    Complain(first, row.sequence == first + 1 ? absl::StrCat("audit row ", first, " is missing")
                                              : absl::StrCat("audit rows ", first, " to ",
                                                             row.sequence - 1, " are missing"));
  } else if (!SameBytes(row.chain, store::ChainValue(last_.chain, row))) {
    Complain(row.sequence, absl::StrCat("audit row ", row.sequence,
                                        " was changed, or the chain value before it"));
  }
  ++out_.rows;
  last_ = {.sequence = row.sequence, .chain = row.chain};
  CompareWithKept(row);
  const auto here = expected_.find(row.sequence);
  if (here == expected_.end()) return;
  for (const Expected& expected : here->second) Compare(row.sequence, row.chain, expected);
  expected_.erase(here);
}

void TrailCheck::Checkpoint(const store::CheckpointRow& checkpoint) {
  if (checkpoint.sequence <= begin_) return;
  const absl::Status good =
      keys_ == nullptr ? absl::OkStatus() : CheckCheckpoint(checkpoint, *keys_);
  if (!good.ok()) {
    Complain(checkpoint.sequence, std::string(good.message()));
    return;
  }
  const Expected expected = {.chain = checkpoint.chain, .at = checkpoint.at};
  if (checkpoint.sequence == last_.sequence) {
    Compare(last_.sequence, last_.chain, expected);
  } else if (checkpoint.sequence > last_.sequence) {
    expected_[checkpoint.sequence].push_back(expected);
  } else {
    Complain(checkpoint.sequence, absl::StrCat("the checkpoint of audit row ", checkpoint.sequence,
                                               " stands behind row ", last_.sequence));
  }
}

Verification TrailCheck::Finish() {
  for (const auto& [number, expected] : expected_) {
    if (number > last_.sequence) {
      Complain(last_.sequence + 1,
               absl::StrCat("the end was cut off: the trail ends with row ", last_.sequence,
                            ", and a checkpoint of ", FormatUtc(expected.front().at),
                            expected.front().kept ? ", kept elsewhere," : "", " vouches for row ",
                            number));
    }
  }
  if (!kept_.chains.empty() && kept_.chains.rbegin()->first > last_.sequence) {
    Complain(last_.sequence + 1,
             absl::StrCat("the end was cut off: the trail ends with row ", last_.sequence,
                          ", and row ", kept_.chains.rbegin()->first, " was exported"));
  }
  out_.last = last_.sequence;
  return std::move(out_);
}

}  // namespace bootgate::gatekeeper::audit
