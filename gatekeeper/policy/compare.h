// One comparison of a condition, its right side computed, asked of many claims.
//
// Implements: policy language specification, section 3.2.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/values.h"

namespace bootgate::gatekeeper::policy {

// A claim while an evaluation runs; its type lives as long as the evaluation.
struct HeldClaim {
  absl::string_view type;
  Held value;
  Issuer issuer = Issuer::kAttestationService;
  bool read_only = false;
  size_t number = 0;  // in the incoming set
};
using Selected = std::vector<const HeldClaim*>;  // by a condition, in the order of the set
using Bound = std::vector<Selected>;             // by the conditions of a rule so far

// A property of a claim as a value.
Held PropertyOf(const HeldClaim& claim, Property property, Workspace& workspace);

class Matcher {
 public:
  // Failures: those of a relational operator whose right side is not one integer.
  static std::variant<Matcher, Failure> Make(const Comparison& comparison, const Values& right,
                                             Workspace& workspace);
  // Nullopt when the budget is spent.
  std::optional<bool> Matches(const HeldClaim& claim, Workspace& workspace);

 private:
  Matcher(const Comparison& comparison, const Values& right);

  Property property_;
  Operator op_;
  ValueSet right_;
  int64_t number_ = 0;  // of relational operators
};

}  // namespace bootgate::gatekeeper::policy
