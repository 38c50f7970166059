#include "agent/app/verb_support.h"

#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "agent/app/attest.h"
#include "agent/app/gatekeeper_link.h"
#include "agent/app/host.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

void WarnOf(const absl::Status& status) {
  if (!status.ok()) std::cerr << "warning: " << status.message() << "\n";
}

}  // namespace

ExitCode Fail(const absl::Status& status) {
  std::cerr << "error: " << status.message() << "\n";
  if (const std::optional<Reason> reason = ReasonOf(status)) {
    std::cerr << "       " << Code(*reason) << ": " << Info(*reason).way_out << "\n";
  }
  return ExitCodeOf(status);
}

absl::StatusOr<AttestAnswer> AttestOnce(const Config& config, const AttestRequest& request) {
  BG_ASSIGN_OR_RETURN(const identity::JoinState joined, Joined(config));
  BG_ASSIGN_OR_RETURN(std::unique_ptr<tpm::Tpm> opened, OpenTpm(config));
  const std::shared_ptr<tpm::Tpm> tpm = std::move(opened);
  workload::TpmSigner signer;
  WarnOf(LoadTpmKey(config, signer));
  signer.UseTpm(tpm);
  std::optional<Challenge> challenge;
  absl::StatusOr<Attestation> done = absl::UnknownError("not asked");
  BG_RETURN_IF_ERROR(WithGatekeeper(
      config, joined, signer, SystemClock().Now(), [&](GatekeeperClient& client) -> absl::Status {
        done = Attest(config, joined, *tpm, client, &challenge, request);
        return done.status();
      }));
  WarnOf(done->kept);
  return std::move(done->answer);
}

ExitCode CodeOf(const AttestAnswer& answer) {
  return answer.outcome == Name(OutcomeClass::kAdmit) && answer.trust == "trusted"
             ? ExitCode::kSuccess
             : ExitCode::kDenied;
}

}  // namespace bootgate::agent::app
