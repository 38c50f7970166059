// The trace of a policy's evaluation as JSON: what `policy explain` prints, what is kept with an
// incident.
#pragma once

#include <string>

#include "gatekeeper/policy/trace.h"

namespace bootgate::gatekeeper::admission {

// {"rules": [...], "claims": [...]}, indented. Claims are named by their number in the list.
std::string TraceJson(const policy::Trace& trace);

}  // namespace bootgate::gatekeeper::admission
