// The trace of an evaluation, for people and as JSON.
#pragma once

#include <string>

#include "gatekeeper/policy/trace.h"

namespace bootgate::gatekeeper::cli {

// Rule by rule: whether it ran, which condition failed, on which claims it worked, what it made and
// from which boot events. Safe on a terminal.
std::string TraceTable(const policy::Trace& trace);

// {"rules": [...], "claims": [...]}, indented. Claims are named by their number in the list.
std::string TraceJson(const policy::Trace& trace);

}  // namespace bootgate::gatekeeper::cli
