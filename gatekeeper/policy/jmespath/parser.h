// Tokens to a tree.
//
// Implements: the JMESPath grammar with the precedences of its reference implementation, and J2 of
// the policy language specification, section 7.2.
#pragma once

#include <variant>

#include "absl/strings/string_view.h"
#include "gatekeeper/json/arena.h"
#include "gatekeeper/policy/jmespath/ast.h"
#include "gatekeeper/policy/jmespath/error.h"

namespace bootgate::gatekeeper::policy::jmespath {

// The tree borrows `text` and `arena`. Recursion is bounded by kMaxNesting.
std::variant<Tree, Error> ParseQuery(absl::string_view text, Dialect dialect, json::Arena& arena);

}  // namespace bootgate::gatekeeper::policy::jmespath
