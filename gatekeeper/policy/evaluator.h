// Runs a program on an incoming claim set.
//
// Implements: policy language specification, sections 3.2 to 3.8.
// The interface is Evaluate() in policy.h; this is its machinery.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/hash/hash.h"
#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/policy/tracer.h"
#include "gatekeeper/policy/values.h"

namespace bootgate::gatekeeper::policy {

// One evaluation. Borrows the policy and what comes in.
class Evaluator {
 public:
  Evaluator(const Policy& policy, const Incoming& incoming, const EvaluateOptions& options);
  Evaluation Run() &&;

 private:
  Evaluation Decide();
  std::optional<Failure> RunRule(Section section, const Rule& rule);
  std::optional<Failure> RunConditions(const Rule& rule, Bound& bound, bool& holds);
  // Sets `holds`; `bound` has one more set after it.
  std::optional<Failure> Test(const Condition& condition, Bound& bound, bool& holds);
  std::optional<Failure> Select(const Condition& condition, std::vector<Matcher>& matchers,
                                Selected& selected);
  std::optional<Failure> Act(const Rule& rule, const Bound& bound);

  Computed Compute(const Expression& expression, const Bound& bound);
  Computed Compute(const Reference& reference, const Bound& bound);
  Computed Compute(const Call& call, const Bound& bound);
  ComputedScalar ComputeString(const Expression& expression, const Bound& bound);

  std::optional<Failure> AddClaims(const Action& action, const Bound& bound);
  std::optional<Failure> Make(const ClaimArguments& arguments, const Bound& bound,
                              std::vector<HeldClaim>& claims);
  std::optional<Failure> Keep(Verb verb, HeldClaim claim);
  void Take(HeldClaim claim);
  std::optional<Failure> Publish(const std::vector<HeldClaim>& claims, std::vector<Claim>* out);

  const Program& program_;
  Workspace workspace_;
  std::deque<HeldClaim> claims_;  // grows only: pointers into it stay good
  size_t unread_ = 0;             // claims that came in and that no condition asks for
  // Not one of Abseil's tables: theirs do not survive an allocation that fails.
  std::unordered_map<absl::string_view, Selected, absl::Hash<absl::string_view>> by_type_;
  std::vector<HeldClaim> outgoing_, properties_;
  size_t published_ = 0;  // bytes
  bool permitted_ = false;
  std::optional<int> deny_line_;
  std::optional<Tracer> tracer_;
};

}  // namespace bootgate::gatekeeper::policy
