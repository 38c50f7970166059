// Verb `policy check FILE...`: errors, warnings and what the linter finds, with line, column and a
// caret. Needs no store.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct PolicyCheckOptions {
  std::vector<std::string> files;
  bool strict = false;  // a warning or a finding counts like an error
  OutputFormat format = OutputFormat::kTable;
};

// As JSON an object for one file, a list for several. Exit code: 0; 2 for a policy that cannot be
// read, or with `strict` for one that is not spotless; 8 for a file that is not there.
ExitCode PolicyCheck(const PolicyCheckOptions& options, std::ostream& out, std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
