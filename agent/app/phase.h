// Where the agent stands, in words for an operator: each phase has one sentence and one way out.
//
// What went wrong decides the phase; `status` prints it, docs/identity.md lists all of them.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/reason.h"

namespace bootgate::agent::app {

enum class Phase {
  kStarting,         // nothing tried yet
  kTrusted,          // admitted
  kQuarantined,      // denied, or cut off until an operator releases the host
  kHeldBack,         // renewed nothing, and may keep what it holds
  kNotApproved,      // enrolled, waits for an operator
  kRefused,          // the gatekeeper refused the evidence
  kUnreachable,      // no gatekeeper answers
  kUntrusted,        // who answers is not our gatekeeper
  kTpmMissing,       // no device, or none that we may open
  kTpmReplaced,      // another TPM than the one that joined
  kTpmHierarchy,     // its endorsement hierarchy is closed to us
  kTpmLockedOut,     // dictionary attack
  kTpmFull,          // no room for objects or sessions
  kTpmFailure,       // failure mode
  kTpmTampered,      // somebody changed its answers
  kTpmBusy,          // it stays busy, or its registers never rest
  kTpmFailed,        // it refused a command, for any other reason
  kSealedShut,       // it does not open the credential in this state
  kStateCorrupt,     // a file of ours is not what we wrote
  kStateUnwritable,  // a file of ours cannot be written
  kFailed,           // anything else went wrong here
};

struct PhaseInfo {
  Phase phase;
  absl::string_view name;     // "trusted", "TPM missing", ...: stable, scripts read it
  absl::string_view meaning;  // one sentence
  absl::string_view way_out;  // one sentence
};

const PhaseInfo& Info(Phase phase);
absl::string_view Name(Phase phase);
absl::Span<const PhaseInfo> AllPhases();

// The phase after a try that ended with `status`, which is not OK.
Phase PhaseOf(const absl::Status& status);

// The agent's own word about its TPM. The gatekeeper has codes that begin with TPM, too: what it
// finds out about a host, or does not accept from it.
bool IsTpmReason(Reason reason);

}  // namespace bootgate::agent::app
