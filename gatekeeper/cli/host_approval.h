// An operator lets an enrolled host attest. One commit with its audit row.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// `because`: into the audit row; may be empty. Sets `changed` when the host was not approved
// before. kNotFound; HOST_RETIRED.
absl::Status ApproveHost(const Operator& op, const std::string& host_id, const std::string& because,
                         bool* changed);

}  // namespace bootgate::gatekeeper::cli
