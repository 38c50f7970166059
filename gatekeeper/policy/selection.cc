#include "gatekeeper/policy/selection.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace bootgate::gatekeeper::policy {
namespace {

constexpr Issuer kIssuers[] = {Issuer::kAttestationService, Issuer::kAttestationPolicy,
                               Issuer::kCustomClaim};
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// What the comparisons so far leave of one property.
class Left {
 public:
  // False when nothing is left.
  bool Take(Operator op, const ClaimValue& literal) {
    if (op == Operator::kEqual) {
      if (is_ && *is_ != literal) return false;
      is_ = literal;
    } else if (op == Operator::kNotEqual) {
      not_.push_back(&literal);
    } else if (!Narrow(op, std::get<int64_t>(literal))) {
      return false;
    }
    return Possible();
  }
  const std::optional<ClaimValue>& is() const { return is_; }
  bool ordered() const { return ordered_; }

 private:
  bool Narrow(Operator op, int64_t bound) {
    ordered_ = true;
    if (op == Operator::kLess && bound == kLeast) return false;
    if (op == Operator::kGreater && bound == kMost) return false;
    if (op == Operator::kLess) most_ = std::min(most_, bound - 1);
    if (op == Operator::kLessEqual) most_ = std::min(most_, bound);
    if (op == Operator::kGreater) least_ = std::max(least_, bound + 1);
    if (op == Operator::kGreaterEqual) least_ = std::max(least_, bound);
    return least_ <= most_;
  }

  bool Possible() const {
    if (!is_) return true;
    if (std::any_of(not_.begin(), not_.end(), [&](const auto* other) { return *other == *is_; })) {
      return false;
    }
    const auto* number = std::get_if<int64_t>(&*is_);
    return !ordered_ || (number != nullptr && *number >= least_ && *number <= most_);
  }

  std::optional<ClaimValue> is_;
  std::vector<const ClaimValue*> not_;
  bool ordered_ = false;
  int64_t least_ = kLeast, most_ = kMost;
};

unsigned IssuersNamed(const ClaimValue& literal) {
  for (const Issuer issuer : kIssuers) {
    if (literal == ClaimValue(Name(issuer))) return BitOf(issuer);
  }
  return 0;
}

bool IsValueType(const ClaimValue& name) {
  return name == ClaimValue("Boolean") || name == ClaimValue("Integer") ||
         name == ClaimValue("String");
}

// value and valueType speak of one thing.
bool TypesAgree(const Left& value, const Left& value_type) {
  if (!value_type.is()) return true;
  if (!IsValueType(*value_type.is())) return false;
  if (value.ordered() && *value_type.is() != ClaimValue("Integer")) return false;
  return !value.is() || *value_type.is() == ClaimValue(ValueTypeName(*value.is()));
}

}  // namespace

const ClaimValue* LiteralOf(const Expression& expression) {
  return std::get_if<ClaimValue>(&expression.form);
}

const std::string* StringLiteralOf(const Expression& expression) {
  const ClaimValue* const literal = LiteralOf(expression);
  return literal == nullptr ? nullptr : std::get_if<std::string>(literal);
}

const std::string* TypeSelected(const Condition& condition) {
  for (const Comparison& comparison : condition.comparisons) {
    if (comparison.property != Property::kType || comparison.op != Operator::kEqual) continue;
    if (const std::string* const type = StringLiteralOf(comparison.right)) return type;
  }
  return nullptr;
}

Selection SelectionOf(const Condition& condition) {
  Selection selection;
  selection.type = TypeSelected(condition);
  Left left[4];  // in the order of Property
  for (const Comparison& comparison : condition.comparisons) {
    const ClaimValue* const literal = LiteralOf(comparison.right);
    if (literal == nullptr) continue;
    const Property property = comparison.property;
    const bool equal = comparison.op == Operator::kEqual;
    if (property == Property::kIssuer) {
      const unsigned named = IssuersNamed(*literal);
      selection.issuers &= equal ? named : ~named;
    }
    const bool possible = left[static_cast<size_t>(property)].Take(comparison.op, *literal) &&
                          selection.issuers != 0 &&
                          TypesAgree(left[static_cast<size_t>(Property::kValue)],
                                     left[static_cast<size_t>(Property::kValueType)]);
    if (!possible && selection.contradiction == nullptr) selection.contradiction = &comparison;
  }
  return selection;
}

}  // namespace bootgate::gatekeeper::policy
