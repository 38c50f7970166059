#include "agent/app/host.h"

#include <optional>

#include "absl/strings/match.h"
#include "agent/identity/installed_credential.h"
#include "agent/identity/stored_credential.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

constexpr size_t kMaxPemBytes = 65536;

bool IsTpmReason(Reason reason) {
  return absl::StartsWith(Code(reason), "TPM") && reason != Reason::kTpmMarshal;
}

}  // namespace

const char kAgentVersion[] = BOOTGATE_VERSION;

absl::StatusOr<std::unique_ptr<tpm::Tpm>> OpenTpm(const Config& config) {
  tpm::Options options;
  options.tcti = config.tcti;
  return tpm::Tpm::Open(options);
}

tpm::AkKind AkKindOf(const Config& config) {
  return config.ak == "rsa" ? tpm::AkKind::kRsa : tpm::AkKind::kEcc;
}

evidence_builder::Options BuilderOptions(const Config& config, tpm::AkKind ak) {
  evidence_builder::Options options;
  options.paths.boot_log = config.boot_log;
  options.paths.user_log = config.user_log;
  options.paths.ima_list = config.ima_list;
  options.ak = ak;
  options.agent_version = kAgentVersion;
  return options;
}

absl::StatusOr<identity::JoinState> Joined(const Config& config) {
  absl::StatusOr<identity::JoinState> state = identity::LoadJoinState(config.state_folder);
  if (absl::IsNotFound(state.status())) {
    return absl::FailedPreconditionError(
        "this host has not joined a gatekeeper: bootgate-agent join FILE");
  }
  return state;
}

absl::StatusOr<std::unique_ptr<GatekeeperClient>> ConnectTo(const Config& config,
                                                            const identity::JoinState& joined,
                                                            absl::Time now) {
  Endpoint endpoint;
  endpoint.address = joined.gatekeeper;
  endpoint.server_name = joined.server_name;
  endpoint.ca_pem = joined.ca_pem;
  const absl::StatusOr<identity::StoredCredential> stored =
      identity::LoadStoredCredential(config.state_folder);
  if (stored.ok() && now < stored->not_after &&
      identity::IsCredentialInstalled(config.runtime_folder)) {
    BG_ASSIGN_OR_RETURN(endpoint.client_chain_pem,
                        ReadTextFile(config.runtime_folder + "/cert.pem", kMaxPemBytes));
    BG_ASSIGN_OR_RETURN(endpoint.client_key_pem,
                        ReadTextFile(config.runtime_folder + "/key.pem", kMaxPemBytes));
  }
  return Connect(endpoint);
}

ExitCode ExitCodeOf(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  if (!reason.has_value()) return ExitCodeFor(status);
  if (*reason == Reason::kServerAuth) return ExitCode::kNotAuthorised;
  if (IsTpmReason(*reason)) return ExitCode::kTpm;
  switch (Info(*reason).outcome) {
    case OutcomeClass::kReject:
      return *reason == Reason::kHostNotApproved ? ExitCode::kConflict : ExitCode::kRejected;
    case OutcomeClass::kDeny:
      return ExitCode::kDenied;
    case OutcomeClass::kAdmit:
    case OutcomeClass::kLimit:
    case OutcomeClass::kError:
      return ExitCodeFor(status);
  }
  __builtin_unreachable();
}

}  // namespace bootgate::agent::app
