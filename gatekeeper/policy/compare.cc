#include "gatekeeper/policy/compare.h"

#include <utility>

namespace bootgate::gatekeeper::policy {
namespace {

// In the order of Issuer.
constexpr absl::string_view kIssuerNames[] = {"AttestationService", "AttestationPolicy",
                                              "CustomClaim"};

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

absl::string_view TextOf(const HeldClaim& claim, Property property) {
  switch (property) {
    case Property::kType:
      return claim.type;
    case Property::kValueType:
      return TypeNameOf(claim.value);
    case Property::kIssuer:
      return kIssuerNames[static_cast<size_t>(claim.issuer)];
    case Property::kValue:
      break;
  }
  __builtin_unreachable();
}

}  // namespace

Held PropertyOf(const HeldClaim& claim, Property property, Workspace& workspace) {
  if (property == Property::kValue) return claim.value;
  return workspace.New(TextOf(claim, property));
}

Matcher::Matcher(const Comparison& comparison, const Values& right)
    : property_(comparison.property), op_(comparison.op), right_(right) {}

std::variant<Matcher, Failure> Matcher::Make(const Comparison& comparison, const Values& right,
                                             Workspace& workspace) {
  Matcher matcher(comparison, right);
  if (!IsRelational(comparison.op)) return matcher;
  ComputedScalar scalar = ScalarInteger(right, workspace);
  if (auto* failure = std::get_if<Failure>(&scalar)) return std::move(*failure);
  matcher.number_ = std::get<int64_t>(std::get<Value>(scalar).held);
  return matcher;
}

std::optional<bool> Matcher::Matches(const HeldClaim& claim, Workspace& workspace) {
  if (!workspace.Step(kBytesPerStep)) return std::nullopt;  // as dear as two steps of a query
  if (IsRelational(op_)) {
    const auto* number = std::get_if<int64_t>(&claim.value);
    return number != nullptr && Holds(op_, *number, number_);
  }
  std::optional<bool> contains;
  if (property_ == Property::kValue) {
    contains = right_.Contains(claim.value, workspace);
  } else {
    StringValue text(TextOf(claim, property_));
    contains = right_.Contains(Held(&text), workspace);
  }
  if (!contains) return std::nullopt;
  return *contains == (op_ == Operator::kEqual);
}

}  // namespace bootgate::gatekeeper::policy
