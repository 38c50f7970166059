// What secrets and approvals are made by, as the configuration has it.
#pragma once

#include "absl/status/statusor.h"
#include "gatekeeper/app/config.h"
#include "gatekeeper/sealing/sealer.h"

namespace bootgate::gatekeeper::app {

// The configuration was checked when it was read.
absl::StatusOr<sealing::Options> SealingOptions(const Config& config);

}  // namespace bootgate::gatekeeper::app
