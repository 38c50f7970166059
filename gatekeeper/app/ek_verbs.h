// The verbs `ek ...` on the command line: which TPMs are believed.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

void AddEkVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
