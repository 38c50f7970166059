// One try to tell one endpoint of one change, and what follows from the answer.
#pragma once

#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "gatekeeper/webhook/endpoint.h"
#include "gatekeeper/webhook/http_client.h"
#include "gatekeeper/webhook/message.h"

namespace bootgate::gatekeeper::webhook {

enum class Outcome {
  kDone,       // 2xx
  kAgain,      // no answer, 5xx, 408, 425, 429, our own key cannot be read
  kPermanent,  // any other answer: the same again will hardly help
};

struct Attempt {
  Outcome outcome = Outcome::kAgain;
  int status = 0;                              // of HTTP; 0: there was no answer
  std::string error;                           // one line; empty when done
  absl::Duration wait = absl::ZeroDuration();  // that the receiver asked for
};

// How an answer counts. Pure.
Attempt Judge(const Answer& answer);

// Signs and sends. The key is read anew each time: it can be changed while we run.
Attempt Deliver(HttpClient& client, const Endpoint& endpoint, const Message& message,
                absl::Time now, const std::stop_token& stop = {});

// When the next try is due, and when there is none. Pure.
inline constexpr absl::Duration kFirstDelay = absl::Milliseconds(500);
inline constexpr absl::Duration kLongestDelay = absl::Minutes(5);
inline constexpr int64_t kLeastTries = 3;      // before the give-up time counts
inline constexpr int64_t kPermanentTries = 5;  // of permanent answers, one after the other

// After `attempts` tries without success, at least 1: twice as long each time, at most
// kLongestDelay, of it the part that `jitter` (0 to 1) says, never less than half.
absl::Duration DelayAfter(int64_t attempts, double jitter);

struct Tries {
  int64_t all = 0;
  int64_t permanent = 0;  // the last ones, with no other answer among them
};
// After these tries of which `last` is the last, `age` after the change came about.
bool IsGivenUp(const Attempt& last, const Tries& tries, absl::Duration age,
               absl::Duration give_up_after);

}  // namespace bootgate::gatekeeper::webhook
