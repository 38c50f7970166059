#include "gatekeeper/policy/values.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gatekeeper/policy/limits.h"

namespace bootgate::gatekeeper::policy {
namespace {

template <typename T>
ComputedScalar ScalarOf(const Values& values, Budget& budget, absl::string_view needed) {
  ComputedScalar scalar = Scalar(values, budget);
  const Value* value = std::get_if<Value>(&scalar);
  if (value == nullptr || std::holds_alternative<T>(value->value)) return scalar;
  return Failure{"type", absl::StrCat("needs ", needed, ", has a value of type ",
                                      ValueTypeName(value->value))};
}

}  // namespace

bool Budget::Step(size_t bytes) {
  steps_ += 1 + bytes / kBytesPerStep;
  return steps_ <= kMaxSteps;
}

bool Budget::Make(size_t bytes) {
  made_ += bytes;
  return made_ <= kMaxMadeBytes && Step(bytes);
}

Failure LimitFailure() { return {"limit", "the policy needs more work or memory than is allowed"}; }

size_t TextBytes(const ClaimValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? 0 : text->size();
}

ValueSet::ValueSet(const Values& values) {
  sorted_.reserve(values.size());
  for (const Value& value : values) sorted_.push_back(&value.value);
  std::sort(sorted_.begin(), sorted_.end(), [](const auto* a, const auto* b) { return *a < *b; });
}

bool ValueSet::Contains(const ClaimValue& value) const {
  return std::binary_search(sorted_.begin(), sorted_.end(), &value,
                            [](const auto* a, const auto* b) { return *a < *b; });
}

ComputedScalar Scalar(const Values& values, Budget& budget) {
  if (values.empty()) return Failure{"empty-value", "one value is needed and there is none"};
  Value one = values.front();
  for (const Value& value : values) {
    if (!budget.Step(TextBytes(value.value))) return LimitFailure();
    if (value.value != one.value) {
      return Failure{"multi-valued", "one value is needed and there are several different ones"};
    }
    one.read_only = one.read_only || value.read_only;
  }
  return one;
}

ComputedScalar ScalarString(const Values& values, Budget& budget) {
  return ScalarOf<std::string>(values, budget, "a String");
}
ComputedScalar ScalarBoolean(const Values& values, Budget& budget) {
  return ScalarOf<bool>(values, budget, "a Boolean");
}
ComputedScalar ScalarInteger(const Values& values, Budget& budget) {
  return ScalarOf<int64_t>(values, budget, "an Integer");
}

}  // namespace bootgate::gatekeeper::policy
