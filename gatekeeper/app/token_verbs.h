// The command lines of `token`.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

void AddTokenVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
