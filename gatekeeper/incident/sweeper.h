// What is old is removed while the gatekeeper runs, a little at a time: attack A88.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::incident {

struct RetentionTimes {
  absl::Duration verdicts = absl::Hours(24 * 90);
  absl::Duration closed_incidents = absl::Hours(24 * 365);  // their evidence, from closing on
};

inline constexpr absl::Duration kSweepEvery = absl::Hours(1);
inline constexpr int kSweptAtOnce = 200;  // verdicts, and incidents, of one step

// One thread at a time.
class Sweeper {
 public:
  // `store` must outlive it.
  Sweeper(store::Store& store, const RetentionTimes& times) : store_(store), times_(times) {}

  // Called again and again; takes one bounded step when it is time, and the next one at once while
  // there is more to do. A store that fails is asked again at the next time.
  absl::Status Tend(absl::Time now);

 private:
  store::Store& store_;
  const RetentionTimes times_;
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace bootgate::gatekeeper::incident
