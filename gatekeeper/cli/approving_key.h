// Verbs `approval key show|make`: who holds the key that approves boot states
// (gatekeeper/sealing/approving_key.h).
#pragma once

#include <string>

#include "gatekeeper/cli/ca.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

ExitCode ApprovingKeyShow(const Operator& op, const std::string& sealing_folder);

struct ApprovingKeyMakeOptions {
  CaKeyOptions key;
  bool replace = false;  // there is one, and its approvals are given up
};
ExitCode ApprovingKeyMake(const Operator& op, const std::string& sealing_folder,
                          const ApprovingKeyMakeOptions& options);

}  // namespace bootgate::gatekeeper::cli
