// Verb `policy eval FILE --claims IN.json`: what a policy says to claims in a file. Needs no store.
#pragma once

#include <ostream>
#include <string>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct PolicyEvalOptions {
  std::string policy_file;
  std::string claims_file;  // the form of policy_case.h
  bool trace = false;
  OutputFormat format = OutputFormat::kTable;
};

// As JSON exactly the members of an outcome (policy_case.h), also for a text that cannot be read;
// with `trace` one more, "trace". Exit code: 0 permit; 6 deny or evaluation error; 2 a policy or
// claims that cannot be read; 8 a file that is not there.
ExitCode PolicyEval(const PolicyEvalOptions& options, std::ostream& out, std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
