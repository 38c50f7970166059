// The command lines of `policy ...`.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

// `root`: the program. `line` must live as long as the command line.
void AddPolicyVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
