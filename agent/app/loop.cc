#include "agent/app/loop.h"

#include <algorithm>
#include <limits>

#include "common/base/reason.h"

namespace bootgate::agent::app {
namespace {

constexpr absl::Duration kLeastHaste = absl::Seconds(5);

// A fleet that was started together spreads out: up to a tenth earlier than asked.
absl::Duration Jittered(absl::Duration asked, uint32_t random) {
  const double share = static_cast<double>(random) / std::numeric_limits<uint32_t>::max();
  return asked * (1.0 - 0.1 * share);
}

// `wait`, or as much less as the credential's end asks for.
absl::Duration BeforeExpiry(absl::Duration wait, std::optional<absl::Duration> left) {
  if (!left.has_value()) return wait;
  return std::min(wait, std::max(*left / 2, kLeastHaste));
}

// The gatekeeper has proved itself, and says that what we hold is worth nothing any more. An answer
// that told so may have been lost; with the dead certificate we would be refused until it lapses.
// And what another TPM was given is not this one's.
bool IsDisowned(std::optional<Reason> reason) {
  return reason == Reason::kPeerCertRevoked || reason == Reason::kHostRetired ||
         reason == Reason::kTpmReplaced;
}

Step AfterFailure(const Outcome& outcome, Backoff& backoff, uint32_t random) {
  return {.phase = PhaseOf(outcome.status),
          .wait = BeforeExpiry(backoff.Next(random), outcome.credential_left),
          .drop_installed = IsDisowned(ReasonOf(outcome.status))};
}

// Admitted, and the credential is not where it should be: soon again, but not at once.
Step AfterLoss(const Outcome& outcome, Backoff& backoff, uint32_t random) {
  return {.phase = PhaseOf(outcome.kept),
          .wait = std::min(backoff.Next(random), Jittered(outcome.next_attestation, random))};
}

}  // namespace

Step NextStep(const Outcome& outcome, Backoff& backoff, uint32_t random) {
  if (!outcome.status.ok()) return AfterFailure(outcome, backoff, random);
  const bool trusted = outcome.trust == "trusted";
  if (trusted && !outcome.kept.ok()) return AfterLoss(outcome, backoff, random);
  backoff.Reset();
  const absl::Duration asked = BeforeExpiry(outcome.next_attestation, outcome.credential_left);
  const Phase untrusted = outcome.keeps_credentials ? Phase::kHeldBack : Phase::kQuarantined;
  return {.phase = trusted ? Phase::kTrusted : untrusted,
          .wait = Jittered(asked, random),
          .drop_installed = !trusted && !outcome.keeps_credentials};
}

}  // namespace bootgate::agent::app
