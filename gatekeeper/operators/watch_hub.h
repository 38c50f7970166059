// The last changes of hosts' trust, at hand for all watchers.
//
// Fed from the one change hub of the process; watchers read from a bounded row of the last changes,
// and from the store when they are further behind. A host's record is read once for all of them.
// Nobody waits for anybody.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/changes/change_hub.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::operators {

// A change as watchers are told of it. Shared.
class WatchEvent {
 public:
  explicit WatchEvent(store::ChangeRow row) : change(std::move(row)) {}

  // As of when it was first read. kNotFound; kDataLoss: its record is corrupt. Any thread.
  absl::StatusOr<std::shared_ptr<const host::HostRecord>> HostIn(store::Store& store) const;

  const store::ChangeRow change;

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const host::HostRecord> host_;  // under mutex_
};
using WatchEventPtr = std::shared_ptr<const WatchEvent>;

// Any thread.
class WatchHub {
 public:
  explicit WatchHub(store::Store& store) : store_(store) {}

  // Every change behind `from` is given to Take, each once, in order; some may have been already.
  void Begin(int64_t from);
  void Take(const changes::Batch& batch);

  struct Batch {
    std::vector<WatchEventPtr> events;  // of trust alone
    int64_t upto = 0;                   // everything up to here is in it or behind us
    std::string mark;                   // of the change at `upto`; empty: nothing is in it
  };
  // What comes after `number`, a bounded part of it.
  absl::StatusOr<Batch> After(int64_t number);

 private:
  store::Store& store_;
  std::mutex mutex_;
  std::deque<WatchEventPtr> recent_;  // under mutex_: every change behind recent_from_, of any kind
  std::optional<int64_t> recent_from_;  // under mutex_; nullopt: not begun
};

}  // namespace bootgate::gatekeeper::operators
