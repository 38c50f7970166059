// The agent's channel with the best certificate that this host can show: that of the key in the
// TPM, else the installed one, else none.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/app/config.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/identity/join_state.h"
#include "agent/workload/tpm_signer.h"

namespace bootgate::agent::app {

// Runs `work` over a channel of its own. When the key in the TPM does not sign (TPM_POLICY: the
// registers moved since) it runs once more, over a channel that does not use it. Errors: of
// Connect; what `work` ended in.
absl::Status WithGatekeeper(const Config& config, const identity::JoinState& joined,
                            workload::TpmSigner& signer, absl::Time now,
                            const std::function<absl::Status(GatekeeperClient&)>& work);

// Loads what is stored of the key in the TPM into `signer`; nothing stored is fine.
absl::Status LoadTpmKey(const Config& config, workload::TpmSigner& signer);

}  // namespace bootgate::agent::app
