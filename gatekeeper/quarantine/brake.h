// The mass-failure brake: when too many hosts fail at once, it is more likely that we are wrong (a
// policy, a reference) than that all of them are bad. Then those that fail from now on are held as
// suspects, without renewal, until an operator has looked.
//
// It counts the hosts that verdicts brought into quarantine within the window; what operators
// quarantine themselves is neither counted nor held. When one more would be more than the limit,
// it engages, and stays so until `brake release` (acts.h). The limit is the greater of `least` and
// the share of the hosts that were trusted when the window began.
//
// Within one process the limit is exact. Several processes on one store look before they commit:
// each can let one more through than the limit. What was answered holds for the commit it was asked
// for, or that commit fails: nobody becomes a suspect behind a release.
//
// A clock that jumps back makes the window longer, one that jumps ahead makes it begin anew: in
// neither case does an engaged brake let go.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::quarantine {

inline constexpr char kBrakeKind[] = "brake";  // of its document and of its changes
inline constexpr char kEngaged[] = "engaged", kReleased[] = "released";

struct BrakeOptions {
  bool on = true;
  int64_t share_percent = 10;  // of the trusted hosts
  int64_t least = 5;           // hosts that may always fail
  absl::Duration window = absl::Minutes(10);
};

struct BrakeState {
  bool engaged = false;
  absl::Time since;  // of the state; the epoch when it never engaged
  std::string why;   // of it: what engaged it, or what its release was for
  std::string by;    // who released it; "gatekeeper" when engaged
  int64_t step = 0;  // in its history; 0: it never engaged
};
absl::StatusOr<BrakeState> ReadBrake(store::Store& store);

struct BrakeCount {
  int64_t failed = 0;   // hosts that verdicts quarantined in the window
  int64_t trusted = 0;  // now
  int64_t limit = 0;    // how many may fail
};
absl::StatusOr<BrakeCount> CountFailures(store::Store& store, const BrakeOptions& options,
                                         const BrakeState& state, absl::Time now);

// Asked for each host that would be quarantined. Any thread.
class Brake {
 public:
  Brake(BrakeOptions options, store::Store& store) : options_(options), store_(store) {}

  // Between the question and the commit that follows from its answer nobody else asks.
  class Turn {
   public:
    bool holds() const { return holds_; }
    // For the commit that follows from the answer: it is void when the brake moves in between.
    const std::optional<store::Commit::StepSeen>& seen() const { return seen_; }

   private:
    friend class Brake;
    std::unique_lock<std::mutex> lock_;
    bool holds_ = false;
    std::optional<store::Commit::StepSeen> seen_;
  };
  // Engages when one more failure would be too many; `why`: a line about this one.
  absl::StatusOr<Turn> Ask(const std::string& why, absl::Time now);

  const BrakeOptions& options() const { return options_; }

 private:
  absl::Status Engage(const BrakeState& state, const BrakeCount& count, const std::string& why,
                      absl::Time now);

  const BrakeOptions options_;
  store::Store& store_;
  std::mutex mutex_;
};

}  // namespace bootgate::gatekeeper::quarantine
