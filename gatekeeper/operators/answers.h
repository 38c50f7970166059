// Calls that are answered once: what was answered under an idempotency key is answered again, and
// nothing is done a second time.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::operators {

inline constexpr absl::Duration kAnswersKept = absl::Hours(24);

struct KeyedCall {
  std::string actor, key;
  Bytes request_sha256;  // of method and request
  // Done a second time it does more than the first time did. It is written down before it is done:
  // when it breaks off, nobody knows how far it came, and it is not done again.
  bool adds_up = false;
};

// Any thread.
class Answers {
 public:
  explicit Answers(store::Store& store) : store_(store) {}

  // The answer that is kept for this call; else what `work` says, kept when it is one. Refusals are
  // not kept: what was refused changed nothing. IDEMPOTENCY_KEY: the key was another call's, or its
  // call broke off (kFailedPrecondition), or is still being answered (kAborted).
  absl::StatusOr<std::string> Once(const KeyedCall& call, absl::Time now,
                                   const std::function<absl::StatusOr<std::string>()>& work);

 private:
  class Running;

  absl::Status Begin(const KeyedCall& call, absl::Time now);

  store::Store& store_;
  std::mutex mutex_;
  std::set<std::pair<std::string, std::string>> running_;  // under mutex_: actor, key
};

}  // namespace bootgate::gatekeeper::operators
