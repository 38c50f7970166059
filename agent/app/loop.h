// The agent's life as an explicit state machine: what the last try gave decides what is next. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/client/backoff.h"

namespace bootgate::agent::app {

enum class Phase {
  kStarting,     // nothing tried yet
  kTrusted,      // admitted
  kQuarantined,  // denied, or cut off until an operator releases the host
  kNotApproved,  // enrolled, waits for an operator
  kRefused,      // the gatekeeper refused the evidence
  kUnreachable,  // no gatekeeper answers
  kUntrusted,    // who answers is not our gatekeeper
  kTpmFailed,    // the TPM does not work
  kFailed,       // anything else went wrong here
};
absl::string_view Name(Phase phase);  // "trusted", "unreachable", ...

// What one try gave: an answer, or why there was none.
struct Outcome {
  absl::Status status;  // OK: the gatekeeper answered with a verdict
  std::string trust;    // of the answer: "trusted", "quarantined", ...
  absl::Duration next_attestation;
};

struct Step {
  Phase phase = Phase::kStarting;
  absl::Duration wait;          // until the next try
  bool drop_installed = false;  // the unsealed credential must not stay
};

// `random`: 32 random bits for the jitter. A verdict resets the back-off.
Step NextStep(const Outcome& outcome, Backoff& backoff, uint32_t random);

}  // namespace bootgate::agent::app
