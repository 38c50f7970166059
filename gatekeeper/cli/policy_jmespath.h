// Verb `policy jmespath`: a query tried out on JSON from standard input.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct PolicyJmesPathOptions {
  std::string query;
  std::string dialect = "policy";  // or "standard"
};

// Prints the result: indented, with kJson the canonical text that JmesPath() gives to a policy.
// Gives kUsage for a query that cannot be read, kRejected when the input is no JSON or the query
// fails on it; `err` then shows the place.
ExitCode PolicyJmesPath(const PolicyJmesPathOptions& options, OutputFormat format, std::istream& in,
                        std::ostream& out, std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
