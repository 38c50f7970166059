// So many a second, and a little more at once. Pure: the caller has the clock. One thread at a
// time.
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace bootgate::agent::workload {

class TokenBucket {
 public:
  // Full at first.
  TokenBucket(double per_second, double at_once)
      : per_second_(per_second), at_once_(at_once), left_(at_once) {}

  // False: not now.
  bool Take(absl::Time now) {
    if (now > filled_) {
      if (filled_ != absl::InfinitePast()) {
        const double waited = absl::ToDoubleSeconds(now - filled_);
        left_ = std::min(at_once_, left_ + waited * per_second_);
      }
      filled_ = now;
    }
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  const double per_second_, at_once_;
  double left_;
  absl::Time filled_ = absl::InfinitePast();
};

}  // namespace bootgate::agent::workload
