// `run`: attests, waits, attests again, until told to stop. SIGHUP: attest now.
#pragma once

#include "agent/app/config.h"
#include "common/base/exit_code.h"

namespace bootgate::agent::app {

// Listens nowhere. On SIGTERM and SIGINT the unsealed credential is deleted.
ExitCode Run(const Config& config);

}  // namespace bootgate::agent::app
