// A verdict as JSON: what the store keeps, what `evidence verify -o json` prints.
#pragma once

#include <string>

#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::admission {

inline constexpr size_t kMaxClaimText = 4096;  // bytes

// {"outcome", "findings": [{"code", "severity", "register", "event", "expected", "actual",
// "text", "action"}],
//  "claims": [{"type", "value", "issuer"}], "checked": [text], "not_checked": [{"what", "why"}]},
// and of a policy that is reported on "report": {"policy", "outcome", "findings", "not_checked"}.
// register, event and action are null where a finding has none: the action is what a failing one
// comes to, "observe" of one that would have failed and is let pass; where a waiver did that, it
// has "waiver", too. Indented by `indent`; on one line when -1. A claim's text longer than
// kMaxClaimText has, instead of "value", "value_bytes" and "value_sha256" (hex): it is not kept,
// because the evidence can make it again.
std::string VerdictJson(const Verdict& verdict, int indent = -1);

}  // namespace bootgate::gatekeeper::admission
