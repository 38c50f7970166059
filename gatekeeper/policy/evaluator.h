// Runs a program on an incoming claim set.
//
// Implements: policy language specification, sections 3.2 to 3.8.
// The interface is Evaluate() in policy.h; this is its machinery.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/policy/values.h"

namespace bootgate::gatekeeper::policy {

// One evaluation. Borrows the program.
class Evaluator {
 public:
  Evaluator(const Program& program, const std::vector<Claim>& incoming);
  Evaluation Run() &&;

 private:
  // The claims that each condition of the current rule selected, so far.
  using Bound = std::vector<std::vector<const Claim*>>;

  std::optional<Failure> RunRule(const Rule& rule);
  // Sets `holds`; `bound` has one more set after it.
  std::optional<Failure> Test(const Condition& condition, Bound& bound, bool& holds);

  Computed Compute(const Expression& expression, const Bound& bound);
  Computed Compute(const Reference& reference, const Bound& bound);
  Computed Compute(const Call& call, const Bound& bound);
  ComputedScalar ComputeString(const Expression& expression, const Bound& bound);

  std::optional<Failure> AddClaims(const Action& action, const Bound& bound);
  std::optional<Failure> Make(const ClaimArguments& arguments, const Bound& bound,
                              std::vector<Claim>& claims);
  std::optional<Failure> Keep(Verb verb, Claim claim);

  const Program& program_;
  std::deque<Claim> incoming_;  // grows only: pointers into it stay good
  std::vector<Claim> outgoing_, properties_;
  bool permitted_ = false;
  std::optional<int> deny_line_;
  Budget budget_;
};

}  // namespace bootgate::gatekeeper::policy
