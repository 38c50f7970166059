// The [[webhook]] tables of the configuration.
#pragma once

#include <vector>

#include "common/config/config_file.h"
#include "gatekeeper/webhook/endpoint.h"

namespace bootgate::gatekeeper::app {

// What is wrong becomes complaints of `file`.
void ReadWebhooks(config::ConfigFile& file, std::vector<webhook::Endpoint>* out);

}  // namespace bootgate::gatekeeper::app
