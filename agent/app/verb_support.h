// What several verbs need: how a failure is told, one attestation, what its outcome exits with.
#pragma once

#include "absl/status/statusor.h"
#include "agent/app/attest_request.h"
#include "agent/app/config.h"
#include "agent/client/gatekeeper_client.h"
#include "common/base/exit_code.h"

namespace bootgate::agent::app {

// Prints the error and the way out of it.
ExitCode Fail(const absl::Status& status);

// With the TPM and the gatekeeper of the configuration.
absl::StatusOr<AttestAnswer> AttestOnce(const Config& config, const AttestRequest& request);

ExitCode CodeOf(const AttestAnswer& answer);

}  // namespace bootgate::agent::app
