#include "agent/app/loop.h"

#include <limits>
#include <optional>

#include "absl/strings/match.h"
#include "common/base/reason.h"

namespace bootgate::agent::app {
namespace {

// A fleet that was started together spreads out: up to a tenth earlier than asked.
absl::Duration Jittered(absl::Duration asked, uint32_t random) {
  const double share = static_cast<double>(random) / std::numeric_limits<uint32_t>::max();
  return asked * (1.0 - 0.1 * share);
}

Phase PhaseOf(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  if (!reason.has_value())
    return absl::IsUnavailable(status) ? Phase::kUnreachable : Phase::kFailed;
  if (*reason == Reason::kServerAuth) return Phase::kUntrusted;
  if (*reason == Reason::kHostNotApproved) return Phase::kNotApproved;
  if (*reason != Reason::kTpmMarshal && absl::StartsWith(Code(*reason), "TPM"))
    return Phase::kTpmFailed;
  switch (Info(*reason).outcome) {
    case OutcomeClass::kReject:
    case OutcomeClass::kDeny:
      return Phase::kRefused;
    case OutcomeClass::kLimit:
    case OutcomeClass::kError:
    case OutcomeClass::kAdmit:
      return absl::IsDataLoss(status) ? Phase::kFailed : Phase::kUnreachable;
  }
  __builtin_unreachable();
}

// The gatekeeper has proved itself, and says that what we hold is worth nothing any more. An answer
// that told so may have been lost; with the dead certificate we would be refused until it lapses.
bool IsDisowned(std::optional<Reason> reason) {
  return reason == Reason::kPeerCertRevoked || reason == Reason::kHostRetired;
}

}  // namespace

absl::string_view Name(Phase phase) {
  switch (phase) {
    case Phase::kStarting:
      return "starting";
    case Phase::kTrusted:
      return "trusted";
    case Phase::kQuarantined:
      return "quarantined";
    case Phase::kNotApproved:
      return "waiting for approval";
    case Phase::kRefused:
      return "refused";
    case Phase::kUnreachable:
      return "gatekeeper unreachable";
    case Phase::kUntrusted:
      return "gatekeeper not authentic";
    case Phase::kTpmFailed:
      return "TPM failed";
    case Phase::kFailed:
      return "failed";
  }
  __builtin_unreachable();
}

Step NextStep(const Outcome& outcome, Backoff& backoff, uint32_t random) {
  if (!outcome.status.ok()) {
    return {.phase = PhaseOf(outcome.status),
            .wait = backoff.Next(random),
            .drop_installed = IsDisowned(ReasonOf(outcome.status))};
  }
  backoff.Reset();
  const bool trusted = outcome.trust == "trusted";
  return {.phase = trusted ? Phase::kTrusted : Phase::kQuarantined,
          .wait = Jittered(outcome.next_attestation, random),
          .drop_installed = !trusted};
}

}  // namespace bootgate::agent::app
