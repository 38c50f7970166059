#include "gatekeeper/policy/evaluator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gatekeeper/policy/compare.h"
#include "gatekeeper/policy/limits.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr char kValidity[] = "report_validity_in_minutes";
constexpr int64_t kMaxValidityMinutes = 525'600;  // one year

// Names in the token that belong to the service. 3.4.
constexpr absl::string_view kReservedTypes[] = {"iss",
                                                "iat",
                                                "exp",
                                                "nbf",
                                                "jti",
                                                "cnf",
                                                "nonce",
                                                "rp_data",
                                                "ver",
                                                "x-ms-ver",
                                                "x-ms-attestation-type",
                                                "x-ms-policy-hash",
                                                "x-ms-policy-signer",
                                                "x-ms-policy"};

bool IsReserved(absl::string_view type) {
  return std::find(std::begin(kReservedTypes), std::end(kReservedTypes), type) !=
         std::end(kReservedTypes);
}

// A known property of the token with a value it cannot have. 3.7.
std::optional<Failure> CheckProperty(const Claim& claim) {
  if (claim.type == kValidity) {
    const auto* minutes = std::get_if<int64_t>(&claim.value);
    if (minutes == nullptr || *minutes < 1) {
      return Failure{"type", "report_validity_in_minutes takes an integer of at least 1"};
    }
  }
  if (claim.type == "omit_x5c" && !std::holds_alternative<bool>(claim.value)) {
    return Failure{"type", "omit_x5c takes true or false"};
  }
  return std::nullopt;
}

// A longer validity than allowed is cut in the property set; later rules still see what was asked.
Claim WithinLimits(Claim claim) {
  if (claim.type == kValidity && std::get<int64_t>(claim.value) > kMaxValidityMinutes) {
    claim.value = kMaxValidityMinutes;
  }
  return claim;
}

Evaluation Error(const Failure& failure, int line) {
  Evaluation evaluation(Decision::kError);
  evaluation.error_kind = failure.kind;
  evaluation.error_line = line;
  evaluation.message = failure.message;
  return evaluation;
}

}  // namespace

Evaluation Evaluate(const Policy& policy, const std::vector<Claim>& incoming) {
  if (incoming.size() > kMaxClaims) {
    return Error({"limit", absl::StrCat("more than ", kMaxClaims, " claims")}, 0);
  }
  return Evaluator(policy.program(), incoming).Run();
}

Evaluator::Evaluator(const Program& program, const std::vector<Claim>& incoming)
    : program_(program), incoming_(incoming.begin(), incoming.end()) {}

Evaluation Evaluator::Run() && {
  for (const Rule& rule : program_.authorization) {
    if (const auto failure = RunRule(rule)) {
      return Error(*failure, rule.place.line);
    }
    if (deny_line_) break;
  }
  if (deny_line_ || !permitted_) {
    Evaluation denied(Decision::kDeny);
    denied.deny_rule_line = deny_line_;
    return denied;
  }
  for (const Rule& rule : program_.issuance) {
    if (const auto failure = RunRule(rule)) {
      return Error(*failure, rule.place.line);
    }
  }
  Evaluation permitted(Decision::kPermit);
  permitted.outgoing = std::move(outgoing_);
  permitted.properties = std::move(properties_);
  return permitted;
}

std::optional<Failure> Evaluator::RunRule(const Rule& rule) {
  Bound bound;
  for (const Condition& condition : rule.conditions) {
    bool holds = false;
    if (auto failure = Test(condition, bound, holds)) return failure;
    if (!holds) return std::nullopt;
  }
  switch (rule.action.verb) {
    case Verb::kPermit:
      permitted_ = true;
      return std::nullopt;
    case Verb::kDeny:
      deny_line_ = rule.place.line;
      return std::nullopt;
    case Verb::kAdd:
    case Verb::kIssue:
    case Verb::kIssueProperty:
      return AddClaims(rule.action, bound);
  }
  __builtin_unreachable();
}

std::optional<Failure> Evaluator::Test(const Condition& condition, Bound& bound, bool& holds) {
  std::vector<Matcher> matchers;
  for (const Comparison& comparison : condition.comparisons) {
    Computed right = Compute(comparison.right, bound);
    if (auto* failure = std::get_if<Failure>(&right)) return std::move(*failure);
    auto matcher = Matcher::Make(comparison, std::get<Values>(std::move(right)), budget_);
    if (auto* failure = std::get_if<Failure>(&matcher)) return std::move(*failure);
    matchers.push_back(std::get<Matcher>(std::move(matcher)));
  }
  std::vector<const Claim*> selected;
  for (const Claim& claim : incoming_) {
    bool all = true;
    for (size_t i = 0; all && i < matchers.size(); ++i) {
      const std::optional<bool> matches = matchers[i].Matches(claim, budget_);
      if (!matches) return LimitFailure();
      all = *matches;
    }
    if (all) selected.push_back(&claim);
  }
  holds = selected.empty() == condition.negated;
  bound.push_back(std::move(selected));
  return std::nullopt;
}

Computed Evaluator::Compute(const Expression& expression, const Bound& bound) {
  if (const auto* literal = std::get_if<ClaimValue>(&expression.form)) {
    if (!budget_.Step(TextBytes(*literal))) return LimitFailure();
    return Values{{*literal}};
  }
  if (const auto* reference = std::get_if<Reference>(&expression.form)) {
    return Compute(*reference, bound);
  }
  return Compute(std::get<Call>(expression.form), bound);
}

// The read-only flag goes with the value; the other properties tell nothing the policy may not say.
Computed Evaluator::Compute(const Reference& reference, const Bound& bound) {
  Values values;
  for (const Claim* claim : bound[reference.condition]) {
    const bool is_value = reference.property == Property::kValue;
    if (!budget_.Step(TextBytes(claim->value))) return LimitFailure();
    values.push_back({PropertyOf(*claim, reference.property), is_value && claim->read_only});
  }
  return values;
}

// As deep as the parser let calls nest.
Computed Evaluator::Compute(const Call& call, const Bound& bound) {
  std::vector<Values> arguments;
  for (const Expression& argument : call.arguments) {
    Computed computed = Compute(argument, bound);
    if (std::holds_alternative<Failure>(computed)) return computed;
    arguments.push_back(std::get<Values>(std::move(computed)));
  }
  return CallFunction(*call.function, arguments, budget_);
}

std::optional<Failure> Evaluator::AddClaims(const Action& action, const Bound& bound) {
  std::vector<Claim> claims;
  if (const auto* copy = std::get_if<ClaimCopy>(&action.arguments)) {
    for (const Claim* claim : bound[copy->condition]) {
      if (!budget_.Step(TextBytes(claim->value))) return LimitFailure();
      claims.push_back(*claim);
    }
  } else if (auto failure = Make(std::get<ClaimArguments>(action.arguments), bound, claims)) {
    return failure;
  }
  for (Claim& claim : claims) {
    claim.issuer = Issuer::kAttestationPolicy;
    if (auto failure = Keep(action.verb, std::move(claim))) return failure;
  }
  return std::nullopt;
}

std::optional<Failure> Evaluator::Make(const ClaimArguments& arguments, const Bound& bound,
                                       std::vector<Claim>& claims) {
  const auto type_name = ComputeString(*arguments.type, bound);
  if (const auto* failure = std::get_if<Failure>(&type_name)) return *failure;
  const Value& type = std::get<Value>(type_name);
  Computed computed = Compute(*arguments.value, bound);
  if (auto* failure = std::get_if<Failure>(&computed)) return std::move(*failure);
  std::optional<ComputedScalar> value_type;
  if (arguments.value_type) {
    value_type = ComputeString(*arguments.value_type, bound);
    if (const auto* failure = std::get_if<Failure>(&*value_type)) return *failure;
  }
  for (Value& value : std::get<Values>(computed)) {
    if (value_type &&
        std::get<Value>(*value_type).value != ClaimValue(ValueTypeName(value.value))) {
      return Failure{"type", "valueType does not name the type of the value"};
    }
    if (!budget_.Step(TextBytes(type.value))) return LimitFailure();
    claims.push_back({std::get<std::string>(type.value), std::move(value.value),
                      Issuer::kAttestationPolicy, value.read_only || type.read_only});
  }
  return std::nullopt;
}

ComputedScalar Evaluator::ComputeString(const Expression& expression, const Bound& bound) {
  Computed computed = Compute(expression, bound);
  if (auto* failure = std::get_if<Failure>(&computed)) return std::move(*failure);
  return ScalarString(std::get<Values>(computed), budget_);
}

std::optional<Failure> Evaluator::Keep(Verb verb, Claim claim) {
  if (verb != Verb::kAdd && claim.read_only) {
    return Failure{"read-only", "the claim may be tested but not published"};
  }
  if (verb == Verb::kIssue && IsReserved(claim.type)) {
    return Failure{"reserved-claim", absl::StrCat(claim.type, " belongs to the service")};
  }
  if (verb == Verb::kIssueProperty) {
    if (auto failure = CheckProperty(claim)) return failure;
  }
  const size_t bytes = claim.type.size() + TextBytes(claim.value);
  if (incoming_.size() >= kMaxClaims || !budget_.Make(bytes)) return LimitFailure();
  if (verb == Verb::kIssue) outgoing_.push_back(claim);
  if (verb == Verb::kIssueProperty) properties_.push_back(WithinLimits(claim));
  incoming_.push_back(std::move(claim));
  return std::nullopt;
}

}  // namespace bootgate::gatekeeper::policy
