// What every operator's verb needs: the store, who acts, where the output goes.
#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/exit_code.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/cli/table.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::cli {

struct Operator {
  store::Store& store;
  const Clock& clock;
  std::string actor;  // "operator alice"
  OutputFormat format = OutputFormat::kTable;
  std::ostream& out;  // results
  std::ostream& err;  // complaints
};

// "operator NAME" of the user who runs the command, also through sudo.
std::string ActorName();

// Prints "error: ..." with the reason code and the way out, and gives the exit code.
ExitCode Fail(std::ostream& err, const absl::Status& status);

// An audit row of this operator, now.
store::AuditRow AuditOf(const Operator& op, absl::string_view action, absl::string_view subject,
                        const audit::Detail& detail);

}  // namespace bootgate::gatekeeper::cli
