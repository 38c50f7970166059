// Verbs `secret put|list|show|remove|rotate`: what hosts are given beside their credentials
// (gatekeeper/sealing/vault.h). No verb ever shows a value.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

struct SecretPutOptions {
  std::string name, selector;
  std::string file;      // with the value; "-": standard input; empty: per_host
  std::string per_host;  // "random"; empty: one value for all
  bool across_boots = false;
};

// `folder`: of the sealing keys.
ExitCode SecretPut(const Operator& op, const std::string& folder, const SecretPutOptions& options,
                   std::istream& in);
ExitCode SecretList(const Operator& op, const std::string& folder);
// All of this name, and which hosts get them.
ExitCode SecretShow(const Operator& op, const std::string& folder, const std::string& name);
ExitCode SecretRemove(const Operator& op, const std::string& folder, const std::string& name,
                      const std::string& selector);
// A new key for what lies in the store; what was removed cannot be read by anybody any more.
ExitCode SecretRotate(const Operator& op, const std::string& folder);

}  // namespace bootgate::gatekeeper::cli
