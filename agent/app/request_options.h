// The options of `attest` and `token` that add to what is attested.
#pragma once

#include <memory>

#include "agent/app/attest_request.h"

namespace CLI {
class App;
}

namespace bootgate::agent::app {

// Adds them; the words are there once the command line was parsed.
std::shared_ptr<RequestWords> AddRequestOptions(CLI::App& app);

}  // namespace bootgate::agent::app
