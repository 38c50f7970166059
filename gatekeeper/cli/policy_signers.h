// Verbs `policy signer add|remove|list`: who may sign policies (gatekeeper/rollout/signers.h).
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// A certificate in PEM where no signer is configured yet, else a JWT by a configured signer.
ExitCode PolicySignerAdd(const Operator& op, const std::string& file);
// A JWT by a configured signer. Without the last signer every upload is taken again.
ExitCode PolicySignerRemove(const Operator& op, const std::string& file);
ExitCode PolicySignerList(const Operator& op);

}  // namespace bootgate::gatekeeper::cli
