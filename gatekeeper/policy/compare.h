// One comparison of a condition, its right side computed, asked of many claims.
//
// Implements: policy language specification, section 3.2.
#pragma once

#include <optional>
#include <variant>

#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/values.h"

namespace bootgate::gatekeeper::policy {

// A property of a claim as a value.
ClaimValue PropertyOf(const Claim& claim, Property property);

class Matcher {
 public:
  Matcher(Matcher&&) = default;  // no copies: sorted_ points into right_
  // Failures: those of a relational operator whose right side is not one integer.
  static std::variant<Matcher, Failure> Make(const Comparison& comparison, Values right,
                                             Budget& budget);
  // Nullopt when the budget is spent.
  std::optional<bool> Matches(const Claim& claim, Budget& budget) const;

 private:
  Matcher(const Comparison& comparison, Values right);

  Property property_;
  Operator op_;
  Values right_;  // moving it leaves its elements in place, so sorted_ stays good
  ValueSet sorted_;
  int64_t number_ = 0;  // of relational operators
};

}  // namespace bootgate::gatekeeper::policy
