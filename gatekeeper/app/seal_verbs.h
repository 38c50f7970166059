// The verbs `secret ...` and `approval ...` on the command line.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

void AddSecretVerbs(CLI::App& root, CommandLine& line);
void AddApprovalVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
