// `webhook ...`: who is told over HTTP, and what could not be told.
#pragma once

#include "gatekeeper/app/command_line.h"

namespace bootgate::gatekeeper::app {

void AddWebhookVerbs(CLI::App& root, CommandLine& line);

}  // namespace bootgate::gatekeeper::app
