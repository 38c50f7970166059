// A verdict for people and for programs.
#pragma once

#include <ostream>
#include <vector>

#include "common/base/exit_code.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::cli {

// The outcome first, then one paragraph per finding, then what was and was not checked. Safe on a
// terminal whatever the host sent.
void PrintTable(const Verdict& verdict, std::ostream& out);
void PrintFindings(const std::vector<Finding>& findings, std::ostream& out);

// {"outcome", "findings": [{"code", "severity", "register", "event", "expected", "actual",
// "text"}],
//  "claims": [{"type", "value", "issuer"}], "checked": [text], "not_checked": [{"what", "why"}]};
// register and event are null where a finding has none.
void PrintJson(const Verdict& verdict, std::ostream& out);

// ADMIT 0, DENY 6, REJECT and LIMIT 7, ERROR 1.
ExitCode ExitCodeOf(OutcomeClass outcome);

}  // namespace bootgate::gatekeeper::cli
