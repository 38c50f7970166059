// Verb `policy test DIR...`: runs policies on claims and compares the outcomes. Needs no store.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct PolicyTestOptions {
  std::vector<std::string> folders;  // with cases in them or in folders below
  bool update = false;               // write the outcomes as expected ones instead
  OutputFormat format = OutputFormat::kTable;
};

// A line for each case and what differs. As JSON {"cases": [{"name", "passed", "differences"}],
// "passed", "failed"}. Exit code: 0 all as expected; 6 some are not; 2 a case that cannot be read,
// or no case at all; 8 no such folder.
ExitCode PolicyTest(const PolicyTestOptions& options, std::ostream& out, std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
