// How deep a JSON text nests, counted before anything is built from it.
#pragma once

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::reference {

// Also a text that is no JSON has an answer. Linear, without recursion.
bool NestedDeeperThan(int depth, absl::string_view text);

}  // namespace bootgate::gatekeeper::reference
