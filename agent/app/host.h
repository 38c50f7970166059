// The parts of a host that every verb needs: configuration, TPM, what was joined.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "agent/app/config.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/evidence_builder/evidence_builder.h"
#include "agent/identity/installed_credential.h"
#include "agent/identity/join_state.h"
#include "agent/tpm/tpm.h"
#include "common/base/clock.h"
#include "common/base/exit_code.h"

namespace bootgate::agent::app {

extern const char kAgentVersion[];

absl::StatusOr<std::unique_ptr<tpm::Tpm>> OpenTpm(const Config& config);
tpm::AkKind AkKindOf(const Config& config);
evidence_builder::Options BuilderOptions(const Config& config, tpm::AkKind ak);

// kFailedPrecondition with the way out when the host never joined.
absl::StatusOr<identity::JoinState> Joined(const Config& config);

// A channel to the joined gatekeeper; with the installed credential as client certificate while it
// is valid.
absl::StatusOr<std::unique_ptr<GatekeeperClient>> ConnectTo(const Config& config,
                                                            const identity::JoinState& joined,
                                                            absl::Time now);

// How the unsealed credential is laid into the runtime folder.
identity::InstallOptions InstallOptionsOf(const Config& config, const identity::JoinState& joined);

// 4 for the TPM, 3 for a gatekeeper that is not ours, 7 for what it refused, else as usual.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace bootgate::agent::app
