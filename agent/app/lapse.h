// Does something at a time of the wall clock, whatever the rest of the program is waiting for: what
// has expired goes then, also while a gatekeeper or a TPM keeps the agent waiting.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace bootgate::agent::app {

class Lapse {
 public:
  // `at_end` runs on a thread of its own, once for each time that is set and comes.
  explicit Lapse(std::function<void()> at_end);
  ~Lapse();
  Lapse(const Lapse&) = delete;
  Lapse& operator=(const Lapse&) = delete;

  // Replaces the time set before. InfiniteFuture: never; one that has passed: now.
  void Set(absl::Time when);

 private:
  void Work();

  const std::function<void()> at_end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  absl::Time when_ = absl::InfiniteFuture();  // guarded by mutex_
  bool ending_ = false;                       // guarded by mutex_
  std::thread thread_;                        // last: starts when all else is there
};

}  // namespace bootgate::agent::app
