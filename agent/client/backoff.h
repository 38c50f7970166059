// How long to wait before the next try: exponential with full jitter, so that a fleet that lost its
// gatekeeper does not come back in one instant.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace bootgate::agent {

struct BackoffOptions {
  absl::Duration first = absl::Seconds(1);
  absl::Duration most = absl::Minutes(5);
};

class Backoff {
 public:
  explicit Backoff(const BackoffOptions& options) : options_(options) {}

  // The wait after one more failure: uniform between a tenth of the ceiling and the ceiling, which
  // doubles with each failure. `random` is 32 random bits.
  absl::Duration Next(uint32_t random);
  void Reset() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  BackoffOptions options_;
  int failures_ = 0;
};

}  // namespace bootgate::agent
