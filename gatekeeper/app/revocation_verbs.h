// The command lines of `credential` and `crl`.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

void AddRevocationVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
