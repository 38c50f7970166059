#include "gatekeeper/policy/lint_evidence.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "gatekeeper/claims/claim_names.h"
#include "gatekeeper/policy/selection.h"

namespace bootgate::gatekeeper::policy {
namespace {

// Whether the condition asks for a value, and not for just any other than some.
bool AsksForValue(const Condition& condition) {
  return std::any_of(
      condition.comparisons.begin(), condition.comparisons.end(), [](const Comparison& comparison) {
        return comparison.property == Property::kValue && comparison.op != Operator::kNotEqual;
      });
}

// The same of a value that a query found: other than "null" says that something was found.
bool AsksForFinding(const Condition& condition) {
  return std::any_of(
      condition.comparisons.begin(), condition.comparisons.end(),
      [](const Comparison& comparison) { return comparison.property == Property::kValue; });
}

bool AsksFor(const Condition& condition, bool wanted) {
  return std::any_of(condition.comparisons.begin(), condition.comparisons.end(),
                     [&](const Comparison& comparison) {
                       const ClaimValue* const literal = LiteralOf(comparison.right);
                       if (comparison.property != Property::kValue) return false;
                       if (literal == nullptr) return comparison.op == Operator::kEqual;
                       if (comparison.op == Operator::kEqual) return *literal == ClaimValue(wanted);
                       return comparison.op == Operator::kNotEqual &&
                              *literal == ClaimValue(!wanted);
                     });
}

bool Proves(Proof proof, const Condition& condition) {
  switch (proof) {
    case Proof::kNothing:
    case Proof::kInside:
      return false;
    case Proof::kTrue:
    case Proof::kFalse:
      return AsksFor(condition, proof == Proof::kTrue);
    case Proof::kValue:
      return AsksForValue(condition);
  }
  __builtin_unreachable();
}

const Function* FunctionOf(const Expression& expression) {
  const auto* call = std::get_if<Call>(&expression.form);
  return call == nullptr ? nullptr : &call->function->function;
}

}  // namespace

bool Evidence::IsEvidence(const Condition& condition) const {
  const Selection selection = SelectionOf(condition);
  if (condition.negated || selection.type == nullptr ||
      absl::StartsWith(*selection.type, kCustomPrefix))
    return false;
  const ClaimName* const known = FindClaimName(*selection.type);
  const auto added = added_.find(*selection.type);
  const bool can_be_added =
      added != added_.end() && (selection.issuers & BitOf(Issuer::kAttestationPolicy)) != 0;
  const bool can_be_proven =
      known != nullptr && (selection.issuers & BitOf(Issuer::kAttestationService)) != 0;
  if (!can_be_added && !can_be_proven) return false;
  if (can_be_proven && !Proves(known->proof, condition)) return false;
  if (!can_be_added) return true;
  return added->second.presence || (added->second.value && AsksForFinding(condition));
}

bool Evidence::Demanded(const Rule& rule) const {
  return std::any_of(rule.conditions.begin(), rule.conditions.end(),
                     [&](const Condition& condition) { return IsEvidence(condition); });
}

// A value is worth what the claims are worth that it names: those of the service, or those that
// were themselves made from evidence.
bool Evidence::FromEvidence(const Rule& rule, const Expression& value) const {
  if (const auto* reference = std::get_if<Reference>(&value.form)) {
    if (reference->property != Property::kValue) return false;
    const Selection selection = SelectionOf(rule.conditions[reference->condition]);
    if (selection.type == nullptr) return false;
    const auto added = added_.find(*selection.type);
    const bool of_policy = (selection.issuers & BitOf(Issuer::kAttestationPolicy)) != 0;
    if (added != added_.end() && of_policy) return added->second.value;
    const ClaimName* const known = FindClaimName(*selection.type);
    return known != nullptr && known->proof != Proof::kNothing;
  }
  const auto* call = std::get_if<Call>(&value.form);
  return call != nullptr &&
         std::any_of(call->arguments.begin(), call->arguments.end(),
                     [&](const Expression& argument) { return FromEvidence(rule, argument); });
}

void Evidence::Add(const Rule& rule) {
  const auto* made = std::get_if<ClaimArguments>(&rule.action.arguments);
  if (made == nullptr) return;  // a copy is worth what the claim of this type is worth
  const std::string* const type = StringLiteralOf(*made->type);
  if (type == nullptr) return;
  const bool demanded = Demanded(rule);
  const bool from_evidence = FromEvidence(rule, *made->value);
  const Function* const function = FunctionOf(*made->value);
  // A query that found nothing becomes no claim at all.
  const bool only_when_found =
      from_evidence && function != nullptr && *function == Function::kJsonToClaimValue;
  Added& added = added_[*type];
  added.presence = added.presence && (demanded || only_when_found);
  added.value = added.value && (demanded || from_evidence);
}

}  // namespace bootgate::gatekeeper::policy
