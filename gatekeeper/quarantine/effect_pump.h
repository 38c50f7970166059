// Carries out what commits left to do, at least once each, in order for each host.
//
// An effect is marked done after its handler has succeeded; a crash in between repeats it, so
// handlers must be idempotent. When one fails, the later ones of the same host wait, and all are
// tried again by the next Drain.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::quarantine {

struct Drained {
  int done = 0;
  int failed = 0;   // tried without success
  int held_up = 0;  // behind a failed one of the same host
};

// One thread at a time.
class EffectPump {
 public:
  using Handler = std::function<absl::Status(const store::EffectRow&)>;

  // `store` must outlive it.
  EffectPump(store::Store& store, Handler handler) : store_(store), handler_(std::move(handler)) {}

  // Tries each pending effect once. An error is the store's: nothing more can be done now.
  absl::StatusOr<Drained> Drain();

 private:
  store::Store& store_;
  const Handler handler_;
};

}  // namespace bootgate::gatekeeper::quarantine
