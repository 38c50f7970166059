// `join`: shows EK and AK to a gatekeeper and proves that both are in this TPM.
#pragma once

#include "absl/status/statusor.h"
#include "agent/app/config.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/tpm/tpm.h"
#include "common/config/join_file.h"

namespace bootgate::agent::app {

// Saves the join state on success; an enrolment that fails leaves an earlier one as it was.
absl::StatusOr<JoinAnswer> Join(const Config& config, const config::JoinFile& file, tpm::Tpm& tpm);

}  // namespace bootgate::agent::app
