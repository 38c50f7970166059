// Verbs `reference import`, `reference list`.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// Stores a reference and assigns it to the hosts that `selector` (rollout/selector.h) names. A text
// that cannot be read is refused and changes nothing.
ExitCode ReferenceImport(const Operator& op, const std::string& file, const std::string& selector);

ExitCode ReferenceList(const Operator& op);

}  // namespace bootgate::gatekeeper::cli
