// Verbs `host list`, `host show`, `host approve`.
#pragma once

#include <string>

#include "gatekeeper/cli/labels.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

ExitCode HostList(const Operator& op);
ExitCode HostShow(const Operator& op, const std::string& host_id);

// Lets an enrolled host attest. Again on an approved host: nothing changes, success.
ExitCode HostApprove(const Operator& op, const std::string& host_id);
// All that wait and bear all these labels. None: success.
ExitCode HostApproveAll(const Operator& op, const Labels& labels);

}  // namespace bootgate::gatekeeper::cli
