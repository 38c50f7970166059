#include "agent/app/lapse.h"

#include <chrono>
#include <utility>

#include "absl/time/clock.h"

namespace bootgate::agent::app {

Lapse::Lapse(std::function<void()> at_end)
    : at_end_(std::move(at_end)), thread_([this] { Work(); }) {}

Lapse::~Lapse() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Lapse::Set(absl::Time when) {
  {
    const std::lock_guard lock(mutex_);
    when_ = when;
  }
  changed_.notify_one();
}

void Lapse::Work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (when_ == absl::InfiniteFuture()) {
      changed_.wait(lock);
    } else if (absl::Now() < when_) {
      // The system clock, so that a machine that slept wakes up to its expired credential.
      changed_.wait_until(lock, absl::ToChronoTime(when_));
    } else {
      when_ = absl::InfiniteFuture();
      lock.unlock();
      at_end_();
      lock.lock();
    }
  }
}

}  // namespace bootgate::agent::app
