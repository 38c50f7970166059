#include "gatekeeper/policy/evaluator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gatekeeper/claims/claim_names.h"
#include "gatekeeper/policy/compare.h"
#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/selection.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr char kValidity[] = "report_validity_in_minutes";
constexpr int64_t kMaxValidityMinutes = 525'600;  // one year

// A known property of the token with a value it cannot have. 3.7.
std::optional<Failure> CheckProperty(const HeldClaim& claim) {
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
HeldClaim WithinLimits(HeldClaim claim) {
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

Evaluation Evaluate(const Policy& policy, const Incoming& incoming,
                    const EvaluateOptions& options) {
  if (incoming.claims.size() + incoming.documents.size() > kMaxClaims) {
    return Error({"limit", absl::StrCat("more than ", kMaxClaims, " claims")}, 0);
  }
  return Evaluator(policy, incoming, options).Run();
}

Evaluation Evaluate(const Policy& policy, const std::vector<Claim>& incoming) {
  return Evaluate(policy, Incoming{.claims = incoming, .documents = {}});
}

// Claims that no condition can select are counted and left where they are.
Evaluator::Evaluator(const Policy& policy, const Incoming& incoming, const EvaluateOptions& options)
    : program_(policy.program()) {
  const std::string* type = nullptr;
  bool read = false;
  for (const Claim& claim : incoming.claims) {
    if (type == nullptr || *type != claim.type) read = policy.Reads(claim.type);
    type = &claim.type;
    if (read) {
      Take({claim.type, HeldOf(claim.value, workspace_), claim.issuer, claim.read_only});
    } else {
      ++unread_;
    }
  }
  for (const Document& document : incoming.documents) {
    if (policy.Reads(document.type)) {
      Take({document.type, workspace_.New(document), document.issuer, document.read_only});
    } else {
      ++unread_;
    }
  }
  if (options.trace) tracer_.emplace(claims_);
}

void Evaluator::Take(HeldClaim claim) {
  claim.number = claims_.size();
  claims_.push_back(claim);
  by_type_[claim.type].push_back(&claims_.back());
}

Evaluation Evaluator::Run() && {
  Evaluation evaluation = Decide();
  if (tracer_) evaluation.trace = tracer_->Finish();
  return evaluation;
}

Evaluation Evaluator::Decide() {
  for (const Rule& rule : program_.authorization) {
    if (const auto failure = RunRule(Section::kAuthorization, rule)) {
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
    if (const auto failure = RunRule(Section::kIssuance, rule)) {
      return Error(*failure, rule.place.line);
    }
  }
  Evaluation permitted(Decision::kPermit);
  auto failure = Publish(outgoing_, &permitted.outgoing);
  if (!failure) failure = Publish(properties_, &permitted.properties);
  if (failure) return Error(*failure, program_.issuance.back().place.line);
  return permitted;
}

std::optional<Failure> Evaluator::RunRule(Section section, const Rule& rule) {
  if (tracer_) tracer_->Begin(section, rule);
  Bound bound;
  bool holds = true;
  const size_t before = claims_.size();
  auto failure = RunConditions(rule, bound, holds);
  if (!failure && holds) failure = Act(rule, bound);
  if (tracer_ && failure) tracer_->Failed(failure->kind);
  if (tracer_ && !failure && holds) tracer_->Acted(rule, bound, before);
  return failure;
}

std::optional<Failure> Evaluator::RunConditions(const Rule& rule, Bound& bound, bool& holds) {
  if (!workspace_.Step()) return LimitFailure();
  for (const Condition& condition : rule.conditions) {
    if (auto failure = Test(condition, bound, holds)) return failure;
    if (tracer_) tracer_->Tested(condition, bound.back(), holds);
    if (!holds) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Failure> Evaluator::Act(const Rule& rule, const Bound& bound) {
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
    auto matcher = Matcher::Make(comparison, std::get<Values>(right), workspace_);
    if (auto* failure = std::get_if<Failure>(&matcher)) return std::move(*failure);
    matchers.push_back(std::get<Matcher>(std::move(matcher)));
  }
  Selected selected;
  if (auto failure = Select(condition, matchers, selected)) return failure;
  holds = selected.empty() == condition.negated;
  bound.push_back(std::move(selected));
  return std::nullopt;
}

std::optional<Failure> Evaluator::Select(const Condition& condition, std::vector<Matcher>& matchers,
                                         Selected& selected) {
  // True when all matchers hold; nullopt when the budget is spent.
  const auto matches = [&](const HeldClaim& claim) -> std::optional<bool> {
    for (Matcher& matcher : matchers) {
      const std::optional<bool> one = matcher.Matches(claim, workspace_);
      if (!one || !*one) return one;
    }
    return true;
  };
  const auto consider = [&](const HeldClaim& claim) {
    const std::optional<bool> all = matches(claim);
    if (all && *all) selected.push_back(&claim);
    return all.has_value();
  };
  if (const std::string* const type = TypeSelected(condition)) {
    const auto named = by_type_.find(*type);
    if (named == by_type_.end()) return std::nullopt;
    for (const HeldClaim* const claim : named->second) {
      if (!consider(*claim)) return LimitFailure();
    }
    return std::nullopt;
  }
  for (const HeldClaim& claim : claims_) {
    if (!consider(claim)) return LimitFailure();
  }
  return std::nullopt;
}

Computed Evaluator::Compute(const Expression& expression, const Bound& bound) {
  if (const auto* literal = std::get_if<ClaimValue>(&expression.form)) {
    if (!workspace_.Step()) return LimitFailure();
    return Values{{HeldOf(*literal, workspace_)}};
  }
  if (const auto* reference = std::get_if<Reference>(&expression.form)) {
    return Compute(*reference, bound);
  }
  return Compute(std::get<Call>(expression.form), bound);
}

// The read-only flag goes with the value; the other properties tell nothing the policy may not say.
Computed Evaluator::Compute(const Reference& reference, const Bound& bound) {
  Values values;
  for (const HeldClaim* claim : bound[reference.condition]) {
    const bool is_value = reference.property == Property::kValue;
    if (!workspace_.Step()) return LimitFailure();
    values.push_back(
        {PropertyOf(*claim, reference.property, workspace_), is_value && claim->read_only});
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
  return CallFunction(*call.function, arguments, call.query ? &*call.query : nullptr, workspace_);
}

std::optional<Failure> Evaluator::AddClaims(const Action& action, const Bound& bound) {
  std::vector<HeldClaim> claims;
  if (const auto* copy = std::get_if<ClaimCopy>(&action.arguments)) {
    for (const HeldClaim* claim : bound[copy->condition]) {
      if (!workspace_.Step()) return LimitFailure();
      claims.push_back(*claim);
    }
  } else if (auto failure = Make(std::get<ClaimArguments>(action.arguments), bound, claims)) {
    return failure;
  }
  for (HeldClaim& claim : claims) {
    claim.issuer = Issuer::kAttestationPolicy;
    if (auto failure = Keep(action.verb, claim)) return failure;
  }
  return std::nullopt;
}

std::optional<Failure> Evaluator::Make(const ClaimArguments& arguments, const Bound& bound,
                                       std::vector<HeldClaim>& claims) {
  const auto type_name = ComputeString(*arguments.type, bound);
  if (const auto* failure = std::get_if<Failure>(&type_name)) return *failure;
  const Value& type = std::get<Value>(type_name);
  const auto name = std::get<StringValue*>(type.held)->Text(workspace_);
  if (!name) return LimitFailure();
  Computed computed = Compute(*arguments.value, bound);
  if (auto* failure = std::get_if<Failure>(&computed)) return std::move(*failure);
  std::optional<absl::string_view> value_type;
  if (arguments.value_type) {
    const auto scalar = ComputeString(*arguments.value_type, bound);
    if (const auto* failure = std::get_if<Failure>(&scalar)) return *failure;
    value_type = std::get<StringValue*>(std::get<Value>(scalar).held)->Text(workspace_);
    if (!value_type) return LimitFailure();
  }
  for (const Value& value : std::get<Values>(computed)) {
    if (value_type && *value_type != TypeNameOf(value.held)) {
      return Failure{"type", "valueType does not name the type of the value"};
    }
    if (!workspace_.Step()) return LimitFailure();
    claims.push_back(
        {*name, value.held, Issuer::kAttestationPolicy, value.read_only || type.read_only});
  }
  return std::nullopt;
}

ComputedScalar Evaluator::ComputeString(const Expression& expression, const Bound& bound) {
  Computed computed = Compute(expression, bound);
  if (auto* failure = std::get_if<Failure>(&computed)) return std::move(*failure);
  return ScalarString(std::get<Values>(computed), workspace_);
}

std::optional<Failure> Evaluator::Keep(Verb verb, HeldClaim claim) {
  if (verb != Verb::kAdd && claim.read_only) {
    return Failure{"read-only", "the claim may be tested but not published"};
  }
  if (verb == Verb::kIssue &&
      std::ranges::count(TokenNames(), absl::string_view(claim.type)) != 0) {
    return Failure{"reserved-claim", absl::StrCat(claim.type, " belongs to the service")};
  }
  if (verb == Verb::kIssueProperty) {
    if (auto failure = CheckProperty(claim)) return failure;
  }
  if (claims_.size() + unread_ >= kMaxClaims || !workspace_.Step()) return LimitFailure();
  if (verb == Verb::kIssue) outgoing_.push_back(claim);
  if (verb == Verb::kIssueProperty) properties_.push_back(WithinLimits(claim));
  Take(claim);
  return std::nullopt;
}

// What is published needs its text at last.
std::optional<Failure> Evaluator::Publish(const std::vector<HeldClaim>& claims,
                                          std::vector<Claim>* out) {
  for (const HeldClaim& claim : claims) {
    std::optional<ClaimValue> value = ClaimValueOf(claim.value, workspace_);
    const auto* text = value ? std::get_if<std::string>(&*value) : nullptr;
    const size_t bytes = claim.type.size() + (text == nullptr ? 0 : text->size());
    published_ += bytes;
    if (!value || published_ > kMaxPublishedBytes || !workspace_.Step(bytes)) return LimitFailure();
    out->push_back({std::string(claim.type), *std::move(value), claim.issuer, claim.read_only});
  }
  return std::nullopt;
}

}  // namespace bootgate::gatekeeper::policy
