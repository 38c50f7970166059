// Verb `reference ima push`: gives this gatekeeper a set, for references to name.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/cli/ima_sets.h"

namespace bootgate::gatekeeper::cli {

struct ImaPushOptions {
  std::string set;
  std::string folder;  // the gatekeeper's, for sets
  std::vector<std::string> verify_keys;
};
ExitCode ImaPush(const ImaPushOptions& options, const ImaSetOutput& to);

}  // namespace bootgate::gatekeeper::cli
