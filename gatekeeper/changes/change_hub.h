// The store's change feed, live: whoever must hear of a quarantine at once listens here.
//
// One thread of its own asks the store for the last change's number, and reads what is new. So a
// change that any process has committed reaches every listener of every gatekeeper within the
// polling interval; Nudge makes a change of our own arrive without that wait. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::changes {

// Oldest first, never empty; shared, so that a listener may keep it as long as it likes.
using Batch = std::shared_ptr<const std::vector<store::ChangeRow>>;

// Both are called from the hub's thread, one at a time: they must not block, and must not end
// their own subscription. Either may be empty.
struct Listener {
  std::function<void(const Batch&)> changed;
  // After each look at the store, about once per polling interval; also when the store did not
  // answer. For heartbeats.
  std::function<void()> tick = {};
};

struct HubOptions {
  absl::Duration poll = absl::Milliseconds(50);
};

class ChangeHub {
 public:
  // Begins behind the newest change. Errors are the store's. `store` must outlive the hub, and the
  // hub its subscriptions.
  static absl::StatusOr<std::unique_ptr<ChangeHub>> Open(store::Store& store,
                                                         const HubOptions& options = {});
  ~ChangeHub();

  // Something was committed: look now.
  void Nudge();

  // The number of the last change that listeners were told of.
  int64_t last() const;
  // How long ago the store last answered. While it does not, nobody can be told of anything.
  absl::Duration silence() const;

  class Subscription {
   public:
    Subscription(ChangeHub& hub, Listener listener);
    // Waits for a call that is under way.
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    // Every change behind this one is told, each once, in order. Whoever reads the store after it
    // has subscribed misses nothing, and may see a change twice.
    int64_t from() const { return from_; }

   private:
    ChangeHub& hub_;
    uint64_t id_ = 0;
    int64_t from_ = 0;
  };

 private:
  ChangeHub(store::Store& store, const HubOptions& options, int64_t last);
  void Work();
  void Look();
  absl::Status ReadNew();
  void Tell(std::vector<store::ChangeRow> rows);
  void Note(const absl::Status& read);

  store::Store& store_;
  const HubOptions options_;

  mutable std::mutex tell_mutex_;  // never taken while mutex_ is held
  uint64_t last_id_ = 0;
  int64_t last_ = 0;
  std::map<uint64_t, Listener> listeners_;

  bool was_answered_ = true;  // of the hub's thread

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool nudged_ = false, ending_ = false;
  absl::Time answered_at_;  // of the steady clock

  std::thread thread_;  // last: it ends first
};

}  // namespace bootgate::gatekeeper::changes
