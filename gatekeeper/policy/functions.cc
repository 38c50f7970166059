#include "gatekeeper/policy/functions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gatekeeper/policy/json_value.h"

namespace bootgate::gatekeeper::policy {
namespace {

using enum ParameterKind;

constexpr FunctionRow kFunctions[] = {
    {Function::kJmesPath, "JmesPath", 2, {kString, kString}, false},
    {Function::kJsonToClaimValue, "JsonToClaimValue", 1, {kString, kString}, true},
    {Function::kIsSubsetOf, "IsSubsetOf", 2, {kSet, kSet}, true},
    {Function::kAppendString, "AppendString", 2, {kString, kString}, true},
    {Function::kNegateBool, "NegateBool", 1, {kBoolean, kBoolean}, true},
    {Function::kContainsOnlyValue, "ContainsOnlyValue", 2, {kSet, kAnyScalar}, true},
};

Computed JsonToClaimValue(const Values& argument, Budget& budget) {
  ComputedScalar text = ScalarString(argument, budget);
  if (auto* failure = std::get_if<Failure>(&text)) return std::move(*failure);
  const Value& json = std::get<Value>(text);
  if (!budget.Step(TextBytes(json.value))) return LimitFailure();
  Computed result = ValuesFromJson(std::get<std::string>(json.value));
  if (auto* values = std::get_if<Values>(&result)) {
    for (Value& value : *values) value.read_only = json.read_only;
  }
  return result;
}

Computed IsSubsetOf(const Values& subset, const Values& superset, Budget& budget) {
  const ValueSet all(superset);
  for (const Value& value : subset) {
    if (!budget.Step(TextBytes(value.value))) return LimitFailure();
    if (!all.Contains(value.value)) return Values{{false}};
  }
  return Values{{true}};
}

Computed AppendString(const Values& first, const Values& second, Budget& budget) {
  ComputedScalar head = ScalarString(first, budget);
  if (auto* failure = std::get_if<Failure>(&head)) return std::move(*failure);
  ComputedScalar tail = ScalarString(second, budget);
  if (auto* failure = std::get_if<Failure>(&tail)) return std::move(*failure);
  const Value &a = std::get<Value>(head), &b = std::get<Value>(tail);
  if (!budget.Make(TextBytes(a.value) + TextBytes(b.value))) return LimitFailure();
  return Values{{absl::StrCat(std::get<std::string>(a.value), std::get<std::string>(b.value)),
                 a.read_only || b.read_only}};
}

Computed NegateBool(const Values& argument, Budget& budget) {
  ComputedScalar flag = ScalarBoolean(argument, budget);
  if (auto* failure = std::get_if<Failure>(&flag)) return std::move(*failure);
  const Value& value = std::get<Value>(flag);
  return Values{{!std::get<bool>(value.value), value.read_only}};
}

Computed ContainsOnlyValue(const Values& set, const Values& only, Budget& budget) {
  ComputedScalar scalar = Scalar(only, budget);
  if (auto* failure = std::get_if<Failure>(&scalar)) return std::move(*failure);
  const ClaimValue& wanted = std::get<Value>(scalar).value;
  for (const Value& value : set) {
    if (!budget.Step(TextBytes(wanted))) return LimitFailure();
    if (value.value != wanted) return Values{{false}};
  }
  return Values{{!set.empty()}};
}

}  // namespace

const FunctionRow* FindFunction(absl::string_view name) {
  const auto* row = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                 [&](const FunctionRow& r) { return r.name == name; });
  return row == std::end(kFunctions) ? nullptr : row;
}

bool Accepts(ParameterKind parameter, const ClaimValue& literal) {
  switch (parameter) {
    case kString:
      return std::holds_alternative<std::string>(literal);
    case kBoolean:
      return std::holds_alternative<bool>(literal);
    case kAnyScalar:
    case kSet:
      return true;
  }
  __builtin_unreachable();
}

Computed CallFunction(const FunctionRow& row, absl::Span<const Values> arguments, Budget& budget) {
  switch (row.function) {
    case Function::kJmesPath:
      return Failure{"unsupported-function", "JmesPath is not available in this release"};
    case Function::kJsonToClaimValue:
      return JsonToClaimValue(arguments[0], budget);
    case Function::kIsSubsetOf:
      return IsSubsetOf(arguments[0], arguments[1], budget);
    case Function::kAppendString:
      return AppendString(arguments[0], arguments[1], budget);
    case Function::kNegateBool:
      return NegateBool(arguments[0], budget);
    case Function::kContainsOnlyValue:
      return ContainsOnlyValue(arguments[0], arguments[1], budget);
  }
  __builtin_unreachable();
}

}  // namespace bootgate::gatekeeper::policy
