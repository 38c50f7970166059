// What a policy changes for whom, for people and for programs.
#pragma once

#include <ostream>
#include <string>

#include "gatekeeper/rollout/fleet.h"

namespace bootgate::gatekeeper::cli {

// One line with the numbers, then a table of the hosts that change and one of those that could not
// be compared.
void PrintDifference(const rollout::Difference& difference, std::ostream& out);

// {"hosts", "same", "to_deny": [{"host", "name", "from", "to", "codes", "why"}], "to_admit": [...],
// "not_compared": [{"host", "why"}]}, as text; indented by `indent`, on one line when -1.
std::string DifferenceJson(const rollout::Difference& difference, int indent = -1);

}  // namespace bootgate::gatekeeper::cli
