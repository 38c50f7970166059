// The verbs `ca ...`, and the options that `init` shares with `ca init`.
#pragma once

#include "gatekeeper/app/command_line.h"
#include "gatekeeper/cli/ca.h"
#include "gatekeeper/cli/ca_operators.h"

namespace bootgate::gatekeeper::app {

void AddCaVerbs(CLI::App& root, CommandLine& line);

// --holder, --module, --token, --secret: where a new key is to be.
void AddKeyOptions(CLI::App* app, cli::CaKeyOptions* key);
// --offline-root, --root-out, --upstream, --root-secret, --holder, ...
void AddCaOptions(CLI::App* app, cli::CaInitOptions* options);

}  // namespace bootgate::gatekeeper::app
