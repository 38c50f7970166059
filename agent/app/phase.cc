#include "agent/app/phase.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/match.h"

namespace bootgate::agent::app {
namespace {

struct Row {
  Phase phase;
  absl::string_view name;
  // Sentence and way out of this code; none: those that follow.
  std::optional<Reason> reason;
  absl::string_view meaning = "";
  absl::string_view way_out = "";
};

constexpr Row kRows[] = {
    {Phase::kStarting, "starting", std::nullopt, "The agent has not tried yet.",
     "Wait for the first try."},
    {Phase::kTrusted, "trusted", std::nullopt, "The gatekeeper admitted this host.",
     "Nothing to do."},
    {Phase::kQuarantined, "quarantined", std::nullopt,
     "The gatekeeper denied this host, and its credentials are gone.",
     "Find the cause, then an operator releases it (bootgate-gatekeeper quarantine list), then "
     "reboot."},
    {Phase::kHeldBack, "held back", std::nullopt,
     "The gatekeeper renews nothing for this host now; what it holds is good until it expires.",
     "Find the cause: evidence that passes, or an operator's decision, ends it."},
    {Phase::kNotApproved, "waiting for approval", Reason::kHostNotApproved},
    {Phase::kRefused, "refused", std::nullopt,
     "The gatekeeper did not take what was sent for evidence; the host's trust is what it was.",
     "The code says why: bootgate-gatekeeper reason show CODE."},
    {Phase::kUnreachable, "gatekeeper unreachable", std::nullopt,
     "No gatekeeper answers; the credential is good until it expires.",
     "Check network and gatekeeper; the agent keeps trying."},
    {Phase::kUntrusted, "gatekeeper not authentic", Reason::kServerAuth},
    {Phase::kTpmMissing, "TPM missing", Reason::kTpmMissing},
    {Phase::kTpmReplaced, "TPM replaced", Reason::kTpmReplaced},
    {Phase::kTpmHierarchy, "TPM hierarchy closed", Reason::kTpmHierarchy},
    {Phase::kTpmLockedOut, "TPM locked out", Reason::kTpmLockout},
    {Phase::kTpmFull, "TPM full", Reason::kTpmResources},
    {Phase::kTpmFailure, "TPM in failure mode", Reason::kTpmFailure},
    {Phase::kTpmTampered, "TPM answers altered", Reason::kTpmResponseHmac},
    {Phase::kTpmBusy, "TPM busy", std::nullopt,
     "The TPM stayed busy, or its registers kept changing while it worked.",
     "The agent tries again; if it stays so, find what uses the TPM or measures all the time."},
    {Phase::kTpmFailed, "TPM failed", Reason::kTpm},
    {Phase::kSealedShut, "credential sealed shut", std::nullopt,
     "The TPM does not open the credential: registers moved, or it is for another key.",
     "The next attestation brings a new one; if it stays so, seal to registers that rest."},
    {Phase::kStateCorrupt, "state corrupt", Reason::kStateCorrupt},
    {Phase::kStateUnwritable, "state not writable", Reason::kStateUnwritable},
    {Phase::kFailed, "failed", std::nullopt, "Something else went wrong on this host.",
     "The text says what; the agent tries again."},
};

PhaseInfo InfoOf(const Row& row) {
  if (!row.reason.has_value()) return {row.phase, row.name, row.meaning, row.way_out};
  const ReasonInfo& reason = Info(*row.reason);
  return {row.phase, row.name, reason.meaning, reason.way_out};
}

const std::vector<PhaseInfo>& Phases() {
  static const auto* const all = [] {
    auto* phases = new std::vector<PhaseInfo>;
    for (const Row& row : kRows) phases->push_back(InfoOf(row));
    return phases;
  }();
  return *all;
}

Phase PhaseOfTpm(Reason reason, const absl::Status& status) {
  if (reason == Reason::kTpmPcrChanged) return Phase::kTpmBusy;
  if (reason == Reason::kTpmPolicy || reason == Reason::kTpmIntegrity) return Phase::kSealedShut;
  if (reason == Reason::kTpm && absl::IsUnavailable(status)) return Phase::kTpmBusy;
  const auto row = std::ranges::find(kRows, std::optional<Reason>(reason), &Row::reason);
  return row == std::end(kRows) ? Phase::kTpmFailed : row->phase;
}

}  // namespace

absl::Span<const PhaseInfo> AllPhases() { return Phases(); }

const PhaseInfo& Info(Phase phase) {
  return *std::ranges::find(Phases(), phase, &PhaseInfo::phase);
}

absl::string_view Name(Phase phase) { return Info(phase).name; }

bool IsTpmReason(Reason reason) {
  return Info(reason).outcome == OutcomeClass::kError && absl::StartsWith(Code(reason), "TPM");
}

Phase PhaseOf(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  if (!reason.has_value())
    return absl::IsUnavailable(status) ? Phase::kUnreachable : Phase::kFailed;
  if (*reason == Reason::kServerAuth) return Phase::kUntrusted;
  // Enrolled; a TPM that nobody speaks for, or a genuine one that nobody said is ours.
  if (*reason == Reason::kHostNotApproved || *reason == Reason::kEkNotBound) {
    return Phase::kNotApproved;
  }
  if (*reason == Reason::kStateCorrupt) return Phase::kStateCorrupt;
  if (*reason == Reason::kStateUnwritable) return Phase::kStateUnwritable;
  if (IsTpmReason(*reason)) return PhaseOfTpm(*reason, status);
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

}  // namespace bootgate::agent::app
