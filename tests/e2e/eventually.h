// Waiting for something that another process does: ends as soon as it is so.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace bootgate::e2e {

// True as soon as `condition()` is; false when `patience` is over, which is far more than anything
// here takes.
template <typename Condition>
bool Eventually(const Condition& condition, absl::Duration patience = absl::Seconds(60)) {
  constexpr absl::Duration kLookAgain = absl::Milliseconds(2);
  const absl::Time end = absl::Now() + patience;
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(kLookAgain);
  }
  return true;
}

}  // namespace bootgate::e2e
