// A verdict as JSON: what the store keeps, what `evidence verify -o json` prints.
#pragma once

#include <string>

#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::admission {

// {"outcome", "findings": [{"code", "severity", "register", "event", "expected", "actual",
// "text"}],
//  "claims": [{"type", "value", "issuer"}], "checked": [text], "not_checked": [{"what", "why"}]}.
// register and event are null where a finding has none. Indented by `indent`; on one line when -1.
std::string VerdictJson(const Verdict& verdict, int indent = -1);

}  // namespace bootgate::gatekeeper::admission
