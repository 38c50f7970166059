// A clock that stands until it is told to move.
#pragma once

#include <atomic>

#include "common/base/clock.h"

namespace bootgate::testing {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start) : unix_nanos_(absl::ToUnixNanos(start)) {}
  absl::Time Now() const override { return absl::FromUnixNanos(unix_nanos_); }
  void Advance(absl::Duration by) { unix_nanos_ += absl::ToInt64Nanoseconds(by); }
  void Set(absl::Time now) { unix_nanos_ = absl::ToUnixNanos(now); }

 private:
  std::atomic<int64_t> unix_nanos_;
};

}  // namespace bootgate::testing
