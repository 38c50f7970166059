// `init`: makes the folder of a new gatekeeper: CA, store, configuration file.
#pragma once

#include <ostream>
#include <string>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/ca.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::app {

struct InitOptions {
  std::string folder;
  std::string cluster_id;    // empty: a random one
  std::string trust_domain;  // empty: "<cluster id>.bootgate.internal"
  std::string listen = "127.0.0.1:9743";
  cli::CaInitOptions ca;
  std::string http_listen;  // empty: 127.0.0.1:9746, or a free port where `listen` takes one
};

// A folder that has a gatekeeper already is left as it is: kConflict.
ExitCode Init(const InitOptions& options, cli::OutputFormat format, std::ostream& out,
              std::ostream& err);

}  // namespace bootgate::gatekeeper::app
