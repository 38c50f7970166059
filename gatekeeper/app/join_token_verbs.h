// The verbs `join-token ...` on the command line.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

void AddJoinTokenVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
