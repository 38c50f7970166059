// The trace of an evaluation, for people.
#pragma once

#include <string>

#include "gatekeeper/policy/trace.h"

namespace bootgate::gatekeeper::cli {

// Rule by rule: whether it ran, which condition failed, on which claims it worked, what it made and
// from which boot events. Safe on a terminal.
std::string TraceTable(const policy::Trace& trace);

}  // namespace bootgate::gatekeeper::cli
