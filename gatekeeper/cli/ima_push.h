// Verb `reference ima push`: gives this gatekeeper a set, for references to name.
//
// The audit row is written first: no set comes without one. What breaks off between the two is
// mended by running the verb again.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

struct ImaPushOptions {
  std::string set;
  std::string folder;  // the gatekeeper's, for sets
  std::vector<std::string> verify_keys;
};
ExitCode ImaPush(const Operator& op, const ImaPushOptions& options);

}  // namespace bootgate::gatekeeper::cli
