// The command lines of `policy push|show|list|activate|assign|rollback|withdraw|diff|plan` and
// `policy signer ...`: policies as managed things.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

// `policy`: the verb `policy`. `line` must live as long as the command line.
void AddRolloutVerbs(CLI::App* policy, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
