// What one evaluation may cost, in steps and in bytes. Counted, not timed: the same input ends at
// the same place on every machine.
#pragma once

#include <cstdint>

namespace bootgate::gatekeeper::json {

inline constexpr int64_t kDefaultSteps = 2'000'000;          // about 20 to 40 ms
inline constexpr int64_t kDefaultBytes = int64_t{32} << 20;  // of results and texts

class Budget {
 public:
  explicit Budget(int64_t steps = kDefaultSteps, int64_t bytes = kDefaultBytes)
      : steps_(steps), bytes_(bytes) {}

  // False when the budget is spent; it then stays spent. Counts are never negative.
  bool Step(int64_t count = 1) {
    steps_ = count > steps_ ? -1 : steps_ - count;
    return steps_ >= 0;
  }
  bool Bytes(int64_t count) {
    bytes_ = count > bytes_ ? -1 : bytes_ - count;
    return bytes_ >= 0;
  }

  bool spent() const { return steps_ < 0 || bytes_ < 0; }
  int64_t steps_left() const { return steps_ < 0 ? 0 : steps_; }
  int64_t bytes_left() const { return bytes_ < 0 ? 0 : bytes_; }

 private:
  int64_t steps_;
  int64_t bytes_;
};

}  // namespace bootgate::gatekeeper::json
