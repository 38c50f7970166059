#include "gatekeeper/policy/functions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gatekeeper/policy/json_value.h"
#include "gatekeeper/policy/query.h"

namespace bootgate::gatekeeper::policy {
namespace {

using enum ParameterKind;

constexpr FunctionRow kFunctions[] = {
    {Function::kJmesPath, "JmesPath", 2, {kString, kString}},
    {Function::kJsonToClaimValue, "JsonToClaimValue", 1, {kString, kString}},
    {Function::kIsSubsetOf, "IsSubsetOf", 2, {kSet, kSet}},
    {Function::kAppendString, "AppendString", 2, {kString, kString}},
    {Function::kNegateBool, "NegateBool", 1, {kBoolean, kBoolean}},
    {Function::kContainsOnlyValue, "ContainsOnlyValue", 2, {kSet, kAnyScalar}},
};

StringValue& StringOf(const Value& value) { return *std::get<StringValue*>(value.held); }

// The result is JSON; its text is made when somebody wants it.
Computed JmesPath(const Values& json, const Values& query, const jmespath::Expression* compiled,
                  Workspace& workspace) {
  ComputedScalar document = ScalarString(json, workspace);
  if (auto* failure = std::get_if<Failure>(&document)) return std::move(*failure);
  ComputedScalar question = ScalarString(query, workspace);
  if (auto* failure = std::get_if<Failure>(&question)) return std::move(*failure);
  const Value &of = std::get<Value>(document), &asked = std::get<Value>(question);
  auto found = compiled != nullptr ? RunQuery(*compiled, StringOf(of), workspace)
                                   : RunQuery(StringOf(asked), StringOf(of), workspace);
  if (auto* failure = std::get_if<Failure>(&found)) return std::move(*failure);
  return Values{{workspace.New(std::get<json::Value>(found)), of.read_only || asked.read_only}};
}

Computed JsonToClaimValue(const Values& argument, Workspace& workspace) {
  ComputedScalar text = ScalarString(argument, workspace);
  if (auto* failure = std::get_if<Failure>(&text)) return std::move(*failure);
  const Value& string = std::get<Value>(text);
  auto json = StringOf(string).Json(workspace);
  if (auto* failure = std::get_if<Failure>(&json)) return std::move(*failure);
  Computed result = ValuesFromJson(std::get<json::Value>(json), workspace);
  if (auto* values = std::get_if<Values>(&result)) {
    for (Value& value : *values) value.read_only = string.read_only;
  }
  return result;
}

Computed IsSubsetOf(const Values& subset, const Values& superset, Workspace& workspace) {
  ValueSet all(superset);
  for (const Value& value : subset) {
    if (!workspace.Step()) return LimitFailure();
    const std::optional<bool> contained = all.Contains(value.held, workspace);
    if (!contained) return LimitFailure();
    if (!*contained) return Values{{false}};
  }
  return Values{{true}};
}

Computed AppendString(const Values& first, const Values& second, Workspace& workspace) {
  ComputedScalar head = ScalarString(first, workspace);
  if (auto* failure = std::get_if<Failure>(&head)) return std::move(*failure);
  ComputedScalar tail = ScalarString(second, workspace);
  if (auto* failure = std::get_if<Failure>(&tail)) return std::move(*failure);
  const Value &a = std::get<Value>(head), &b = std::get<Value>(tail);
  const auto start = StringOf(a).Text(workspace);
  const auto end = StringOf(b).Text(workspace);
  if (!start || !end || !workspace.Keep(start->size() + end->size())) return LimitFailure();
  return Values{{workspace.New(absl::StrCat(*start, *end)), a.read_only || b.read_only}};
}

Computed NegateBool(const Values& argument, Workspace& workspace) {
  ComputedScalar flag = ScalarBoolean(argument, workspace);
  if (auto* failure = std::get_if<Failure>(&flag)) return std::move(*failure);
  const Value& value = std::get<Value>(flag);
  return Values{{!std::get<bool>(value.held), value.read_only}};
}

Computed ContainsOnlyValue(const Values& set, const Values& only, Workspace& workspace) {
  ComputedScalar scalar = Scalar(only, workspace);
  if (auto* failure = std::get_if<Failure>(&scalar)) return std::move(*failure);
  for (const Value& value : set) {
    if (!workspace.Step()) return LimitFailure();
    const std::optional<bool> same = SameValue(value.held, std::get<Value>(scalar).held, workspace);
    if (!same) return LimitFailure();
    if (!*same) return Values{{false}};
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

Computed CallFunction(const FunctionRow& row, absl::Span<const Values> arguments,
                      const jmespath::Expression* query, Workspace& workspace) {
  switch (row.function) {
    case Function::kJmesPath:
      return JmesPath(arguments[0], arguments[1], query, workspace);
    case Function::kJsonToClaimValue:
      return JsonToClaimValue(arguments[0], workspace);
    case Function::kIsSubsetOf:
      return IsSubsetOf(arguments[0], arguments[1], workspace);
    case Function::kAppendString:
      return AppendString(arguments[0], arguments[1], workspace);
    case Function::kNegateBool:
      return NegateBool(arguments[0], workspace);
    case Function::kContainsOnlyValue:
      return ContainsOnlyValue(arguments[0], arguments[1], workspace);
  }
  __builtin_unreachable();
}

}  // namespace bootgate::gatekeeper::policy
