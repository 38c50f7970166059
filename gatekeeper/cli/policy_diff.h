// Verb `policy diff`: outcomes of what is reported on against what is enforced, over the fleet.
#pragma once

#include <optional>
#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// Of one selector, or of every one with something reported on. As JSON an array of {"selector",
// "enforced", "candidate", "since", and what DifferenceJson has}. Exit code 8 when nothing is
// reported on.
ExitCode PolicyDiff(const Operator& op, const std::optional<std::string>& selector);

}  // namespace bootgate::gatekeeper::cli
