// Verbs `reason list` and `reason show`: the table of reason codes.
#pragma once

#include <ostream>
#include <string>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

ExitCode ReasonList(OutputFormat format, std::ostream& out);
ExitCode ReasonShow(const std::string& code, OutputFormat format, std::ostream& out,
                    std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
