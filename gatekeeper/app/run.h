// `run`: the gatekeeper as a server, from configuration to the last connection closed.
#pragma once

#include <string>

#include "common/base/exit_code.h"
#include "gatekeeper/app/config.h"

namespace bootgate::gatekeeper::app {

// Files that the ports are written to once connections are taken; empty: to none.
struct PortFiles {
  std::string agents, http, operators;
};

// Serves until SIGTERM or SIGINT. Tells systemd when it is ready (Type=notify).
ExitCode Run(const Config& config, const PortFiles& port_files);

}  // namespace bootgate::gatekeeper::app
