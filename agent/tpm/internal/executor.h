// One thread that does what others ask of it, in the order they ask.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace bootgate::agent::tpm::internal {

class Executor {
 public:
  Executor() : thread_([this] { Work(); }) {}
  ~Executor();  // does what is already asked for, then ends
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Has `work` done on the owner thread, and waits for nothing.
  void Post(absl::AnyInvocable<void()> work);

  // Runs `work` on the owner thread and waits for its result. Not from that thread itself.
  template <typename Work>
  auto Run(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    Post([&task] { task(); });
    return result.get();
  }

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<absl::AnyInvocable<void()>> queue_;  // guarded by mutex_
  bool ending_ = false;                           // guarded by mutex_
  std::thread thread_;                            // last: starts when all else is there
};

}  // namespace bootgate::agent::tpm::internal
