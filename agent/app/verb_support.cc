#include "agent/app/verb_support.h"

#include <iostream>
#include <optional>

#include "agent/app/attest.h"
#include "agent/app/host.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {

ExitCode Fail(const absl::Status& status) {
  std::cerr << "error: " << status.message() << "\n";
  if (const std::optional<Reason> reason = ReasonOf(status)) {
    std::cerr << "       " << Code(*reason) << ": " << Info(*reason).way_out << "\n";
  }
  return ExitCodeOf(status);
}

absl::StatusOr<AttestAnswer> AttestOnce(const Config& config, const AttestRequest& request) {
  BG_ASSIGN_OR_RETURN(const identity::JoinState joined, Joined(config));
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<tpm::Tpm> tpm, OpenTpm(config));
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<GatekeeperClient> client,
                      ConnectTo(config, joined, SystemClock().Now()));
  std::optional<Challenge> challenge;
  BG_ASSIGN_OR_RETURN(Attestation done, Attest(config, joined, *tpm, *client, &challenge, request));
  if (!done.kept.ok()) std::cerr << "warning: " << done.kept.message() << "\n";
  return std::move(done.answer);
}

ExitCode CodeOf(const AttestAnswer& answer) {
  return answer.outcome == Name(OutcomeClass::kAdmit) && answer.trust == "trusted"
             ? ExitCode::kSuccess
             : ExitCode::kDenied;
}

}  // namespace bootgate::agent::app
