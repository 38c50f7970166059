// What programs of this host may have now, and who wants to hear when that changes. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/workload/identity.h"

namespace bootgate::agent::workload {

// One look at the hub. The identity is shared: a stream may still send one when the next has come.
struct Held {
  std::shared_ptr<const Identity> identity;  // nullptr: there is none
  std::string why_none;                      // for people
  std::string jwt_keys;                      // JWK set; empty: not known yet
  uint64_t step = 0;                         // another number after every change
};

class IdentityHub {
 public:
  void Publish(Identity identity);
  // The identity, and the keys with it, are gone; again is fine.
  void Withdraw(absl::string_view why);
  // Withdraws an identity that has expired at `now`.
  void WithdrawExpired(absl::Time now);
  void SetJwtKeys(std::string jwk_set);
  Held Now() const;

  // Until it goes away `changed` is called after every change, from the thread that made it. Its
  // end waits for a call that is under way: `changed` must not end its own subscription.
  class Subscription {
   public:
    Subscription(IdentityHub& hub, std::function<void()> changed);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    IdentityHub& hub_;
    uint64_t id_ = 0;
  };

 private:
  void Tell();

  mutable std::mutex mutex_;
  Held held_;                                              // guarded by mutex_
  std::mutex tell_mutex_;                                  // never taken while mutex_ is held
  uint64_t last_id_ = 0;                                   // guarded by tell_mutex_
  std::map<uint64_t, std::function<void()>> subscribers_;  // guarded by tell_mutex_
};

}  // namespace bootgate::agent::workload
