#include "gatekeeper/policy/compare.h"

#include <utility>

namespace bootgate::gatekeeper::policy {
namespace {

bool Holds(Operator op, int64_t left, int64_t right) {
  switch (op) {
    case Operator::kEqual:
      return left == right;
    case Operator::kNotEqual:
      return left != right;
    case Operator::kLess:
      return left < right;
    case Operator::kLessEqual:
      return left <= right;
    case Operator::kGreater:
      return left > right;
    case Operator::kGreaterEqual:
      return left >= right;
  }
  __builtin_unreachable();
}

}  // namespace

ClaimValue PropertyOf(const Claim& claim, Property property) {
  switch (property) {
    case Property::kType:
      return claim.type;
    case Property::kValue:
      return claim.value;
    case Property::kValueType:
      return ValueTypeName(claim.value);
    case Property::kIssuer:
      return Name(claim.issuer);
  }
  __builtin_unreachable();
}

Matcher::Matcher(const Comparison& comparison, Values right)
    : property_(comparison.property),
      op_(comparison.op),
      right_(std::move(right)),
      sorted_(right_) {}

std::variant<Matcher, Failure> Matcher::Make(const Comparison& comparison, Values right,
                                             Budget& budget) {
  Matcher matcher(comparison, std::move(right));
  if (!IsRelational(comparison.op)) return matcher;
  ComputedScalar scalar = ScalarInteger(matcher.right_, budget);
  if (auto* failure = std::get_if<Failure>(&scalar)) return std::move(*failure);
  matcher.number_ = std::get<int64_t>(std::get<Value>(scalar).value);
  return matcher;
}

std::optional<bool> Matcher::Matches(const Claim& claim, Budget& budget) const {
  ClaimValue made;
  if (property_ != Property::kValue) made = PropertyOf(claim, property_);
  const ClaimValue& left = property_ == Property::kValue ? claim.value : made;
  if (!budget.Step(TextBytes(left))) return std::nullopt;
  if (!IsRelational(op_)) return sorted_.Contains(left) == (op_ == Operator::kEqual);
  const auto* number = std::get_if<int64_t>(&left);
  return number != nullptr && Holds(op_, *number, number_);
}

}  // namespace bootgate::gatekeeper::policy
