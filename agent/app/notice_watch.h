// Listens to the gatekeeper between attestations, so that a quarantine takes the credentials from
// this host within a second and not with the next attestation.
//
// A thread of its own, and a channel that shows the host's certificate. Without a stream (an old
// gatekeeper, a broken network) nothing is lost but time: the next attestation tells the same.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/identity/join_state.h"

namespace bootgate::agent::app {

class NoticeWatch {
 public:
  // All are called from the watch's thread.
  struct Events {
    // Over a channel that shows the certificate.
    std::function<absl::Status(const identity::JoinState& joined,
                               const std::function<absl::Status(GatekeeperClient&)>& work)>
        with_gatekeeper;
    std::function<void(const std::string& why)> drop;  // what is held must go, now
    std::function<void()> attest_now;
    std::function<void(bool is_open, absl::Time last_heard)> changed;  // the stream
  };
  explicit NoticeWatch(Events events);
  ~NoticeWatch();  // ends a stream that is open

  // The host holds a certificate to show; again is fine.
  void Listen(const identity::JoinState& joined);

  // How often credentials had to go: whoever stored some meanwhile must drop them again.
  uint64_t drops() const { return drops_; }

 private:
  void Work(const std::stop_token& stop);
  // The wait until the next try; nullopt: not before Listen.
  std::optional<absl::Duration> Try(const identity::JoinState& joined, const std::stop_token& stop);
  void On(const Notice& notice);
  void Drop(const std::string& why);
  std::optional<absl::Duration> After(const absl::Status& ended);

  const Events events_;
  std::atomic<uint64_t> drops_ = 0;
  int failures_ = 0;  // of the watch's thread, as the next three
  bool dropped_ = false, is_open_ = false;
  absl::Time last_heard_ = absl::UnixEpoch();
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<identity::JoinState> joined_;  // guarded by mutex_
  std::jthread thread_;                        // last: it ends first
};

// What this refusal says to a holder of credentials: they are worth nothing any more.
bool IsDisowned(const absl::Status& status);

}  // namespace bootgate::agent::app
