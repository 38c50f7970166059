// `run`: the gatekeeper as a server, from configuration to the last connection closed.
#pragma once

#include <string>

#include "common/base/exit_code.h"
#include "gatekeeper/app/config.h"

namespace bootgate::gatekeeper::app {

// Serves until SIGTERM or SIGINT. Tells systemd when it is ready (Type=notify). When `port_file` is
// not empty, the port is written there once connections are taken.
ExitCode Run(const Config& config, const std::string& port_file);

}  // namespace bootgate::gatekeeper::app
