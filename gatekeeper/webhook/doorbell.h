// The number of the newest change, for threads that wait for the next one. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "absl/time/time.h"

namespace bootgate::gatekeeper::webhook {

class Doorbell {
 public:
  // A smaller number than before is no news.
  void Ring(int64_t newest) {
    {
      const std::lock_guard lock(mutex_);
      if (newest <= newest_) return;
      newest_ = newest;
    }
    news_.notify_all();
  }

  int64_t newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }

  // Until there is a change behind `told`, a stop, or so long.
  void Await(int64_t told, const std::stop_token& stop, absl::Duration at_most) const {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, stop, absl::ToChronoMilliseconds(at_most), [&] { return newest_ > told; });
  }

  // So long, or until a stop; news do not matter.
  void Sleep(const std::stop_token& stop, absl::Duration span) const {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, stop, absl::ToChronoMilliseconds(span), [] { return false; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any news_;
  int64_t newest_ = 0;
};

}  // namespace bootgate::gatekeeper::webhook
