// Which events of the `events` claim a program can see, so that the others are not made.
//
// Conservative: known only where every use of the claim is a written-out query that begins with
// `Events[?EventTypeString == '...' ...]`, as published policies do. An event that such a filter
// passes over is not looked at by anything else in the query, and gives no error there either: the
// comparison of the type comes first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gatekeeper/policy/ast.h"

namespace bootgate::gatekeeper::policy {

// Names of event types, sorted, each once; nullopt: any event may be seen. A condition that may
// select claims of any type sees all.
std::optional<std::vector<std::string>> EventTypesRead(const Program& program);

}  // namespace bootgate::gatekeeper::policy
