// The agent's life as an explicit state machine: what the last try gave decides what is next. Pure.
//
// When a credential is renewed. Let L be its lifetime, I the interval that the gatekeeper asks for.
// The next attestation, and with it the next credential, comes after I, or after half of what the
// credential has left when that is less; both up to a tenth earlier. So a credential that is in use
// has max(L - I, L/2) left when the gatekeeper goes away, and an outage of that length is not
// noticed: 50 minutes with the defaults of 1 h and 10 min. Whoever wants to sit out an hour takes
// L >= 1 h + I + 5 min (the longest wait between tries), 75 minutes. While no gatekeeper answers
// and a credential is held, tries come at least twice in what it has left, never closer than five
// seconds for that reason.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/app/phase.h"
#include "agent/client/backoff.h"

namespace bootgate::agent::app {

// What one try gave: an answer, or why there was none.
struct Outcome {
  absl::Status status;             // OK: the gatekeeper answered with a verdict
  std::string trust;               // of the answer: "trusted", "quarantined", ...
  bool keeps_credentials = false;  // not trusted, and yet nothing is to be deleted
  absl::Duration next_attestation;
  absl::Status kept;  // OK, or why the credential of the answer is not in its place
  // Until the credential that is held expires; nullopt: none is held.
  std::optional<absl::Duration> credential_left;
};

struct Step {
  Phase phase = Phase::kStarting;
  absl::Duration wait;          // until the next try
  bool drop_installed = false;  // the unsealed credential must not stay
};

// `random`: 32 random bits for the jitter. A verdict resets the back-off, unless its credential
// could not be put in its place.
Step NextStep(const Outcome& outcome, Backoff& backoff, uint32_t random);

}  // namespace bootgate::agent::app
