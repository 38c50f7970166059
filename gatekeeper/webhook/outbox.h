// Everybody that is told of changes over HTTP: a sender on a thread of its own for each endpoint,
// so that one that hangs delays no other. The hub wakes them.
//
// A new endpoint begins at the present. One that left the configuration keeps its place in the
// store, and goes on there should it come back.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "gatekeeper/changes/change_hub.h"
#include "gatekeeper/store/store.h"
#include "gatekeeper/webhook/doorbell.h"
#include "gatekeeper/webhook/endpoint.h"
#include "gatekeeper/webhook/sender.h"

namespace bootgate::gatekeeper::webhook {

class Outbox {
 public:
  // Begins at once. Store, hub (of that store) and clock must outlive it. An error: the store's, or
  // a key that cannot be read (ReadKeys), with the endpoint's name.
  static absl::StatusOr<std::unique_ptr<Outbox>> Start(store::Store& store, changes::ChangeHub& hub,
                                                       const Clock& clock,
                                                       const std::string& cluster,
                                                       const std::vector<Endpoint>& endpoints);
  ~Outbox();  // stops
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Ends what is under way within a second or so; what was not told is told after the next start.
  void Stop();

  std::vector<Figures> figures() const;
  int64_t newest() const { return bell_.newest(); }  // number of the newest change

 private:
  Outbox() = default;

  Doorbell bell_;
  std::vector<std::unique_ptr<Sender>> senders_;
  std::vector<std::jthread> threads_;
  std::unique_ptr<changes::ChangeHub::Subscription> news_;  // last: ends first
};

}  // namespace bootgate::gatekeeper::webhook
