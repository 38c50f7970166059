#include "agent/app/host.h"

#include <optional>
#include <utility>

#include "agent/app/phase.h"
#include "agent/identity/plaintext.h"
#include "agent/workload/peer_rules.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {

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
  options.paths.boot_id = config.kernel_boot_id;
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
  absl::StatusOr<identity::InstalledPair> pair = identity::ReadInstalled(config.runtime_folder);
  if (pair.ok() && now < identity::InstalledUntil(config.runtime_folder)) {
    endpoint.client_chain_pem = std::move(pair->chain_pem);
    endpoint.client_key_pem = std::move(pair->key_pem);
  }
  return Connect(endpoint);
}

identity::InstallOptions InstallOptionsOf(const Config& config, const identity::JoinState& joined) {
  // The configuration's words were checked when it was read.
  mode_t mode = 0600;
  for (const auto& [word, value] :
       {std::pair<const char*, mode_t>{"0400", 0400}, {"0440", 0440}, {"0640", 0640}}) {
    if (config.install.key_mode == word) mode = value;
  }
  identity::InstallOptions out;
  out.bundle_pem = joined.ca_pem;
  if (!config.install.group.empty()) out.group = workload::GroupNumber(config.install.group);
  out.key_mode = mode;
  return out;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  if (!reason.has_value()) return ExitCodeFor(status);
  if (*reason == Reason::kServerAuth) return ExitCode::kNotAuthorised;
  if (IsTpmReason(*reason)) return ExitCode::kTpm;
  switch (Info(*reason).outcome) {
    case OutcomeClass::kReject:
      return *reason == Reason::kHostNotApproved || *reason == Reason::kEkNotBound
                 ? ExitCode::kConflict
                 : ExitCode::kRejected;
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
