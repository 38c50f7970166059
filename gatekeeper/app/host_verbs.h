// The command lines of `host retire`, `reinstate`, `swap-tpm` and `accept-clear`.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

// `host`: the verb's noun. `line` must live as long as the command line.
void AddHostChangeVerbs(CLI::App* host, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
