// Tells one endpoint of every change that it wants, at least once each, in their order.
//
// Its place is stored after each change that is done with: told, not wanted, or given up (then it
// is a dead letter as well). A crash in between tells the last one again; receivers know it by its
// id. A change that cannot be told yet holds up the later ones of this endpoint, and of no other.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "gatekeeper/store/store.h"
#include "gatekeeper/webhook/delivery.h"
#include "gatekeeper/webhook/doorbell.h"
#include "gatekeeper/webhook/endpoint.h"
#include "gatekeeper/webhook/http_client.h"

namespace bootgate::gatekeeper::webhook {

// How one endpoint is doing. Counts are since the start.
struct Figures {
  std::string name;
  int64_t told = 0;       // number of the last change that is done with
  int64_t delivered = 0;  // changes
  int64_t failed = 0;     // tries
  int64_t given_up = 0;   // changes
  int64_t attempts = 0;   // without success, of the change that is being told
  std::string error;      // of the last of them; empty: it succeeded
};

class Sender {
 public:
  // All but `endpoint` and `cluster` must outlive it.
  Sender(store::Store& store, const Clock& clock, const Doorbell& bell, Endpoint endpoint,
         std::string cluster);

  // Finds its place: where it was, or at the present when it never had one. Before Run.
  absl::Status Begin();
  // Until it is stopped.
  void Run(const std::stop_token& stop);
  Figures figures() const;  // any thread

 private:
  // Each: false when the later changes have to wait.
  bool TellAll(const std::stop_token& stop);
  bool Tell(const store::ChangeRow& change, const std::stop_token& stop);
  bool Try(const store::ChangeRow& change, const std::stop_token& stop);
  bool GiveUp(const store::ChangeRow& change);
  void PutOff(const Attempt& attempt);
  void Done(int64_t sequence);
  bool Save(const std::optional<store::DeadLetterRow>& dead);
  void AwaitDue(const std::stop_token& stop);
  void Complain(const absl::Status& status);
  void TellOperators(const Attempt& attempt, bool before_failed) const;

  store::Store& store_;
  const Clock& clock_;
  const Doorbell& bell_;
  const Endpoint endpoint_;
  const std::string cluster_;
  HttpClient client_;
  std::minstd_rand random_;
  store::ConsumerRow place_;
  absl::Duration delay_ = kLongestDelay;  // until the next try; after a start as long as it may be
  int64_t permanent_ = 0;                 // answers without hope in a row, of the change being told
  bool unsaved_ = false;                  // `place_` is further than what is stored
  mutable std::mutex mutex_;
  Figures figures_;
};

}  // namespace bootgate::gatekeeper::webhook
