// Which claims a program can see, so that costly ones are made only for a policy that looks at
// them.
//
// Implements: policy language specification, section 3.2: a rule sees the claims that its
// conditions select, and no others.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/policy/ast.h"

namespace bootgate::gatekeeper::policy {

struct ReadTypes {
  bool all = false;                // a condition's types are not known beforehand
  std::vector<std::string> types;  // sorted, each once
};

// Conservative: a condition is bounded only by `type == "literal"`.
ReadTypes TypesRead(const Program& program);

}  // namespace bootgate::gatekeeper::policy
