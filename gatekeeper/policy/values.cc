#include "gatekeeper/policy/values.h"

#include "absl/strings/str_cat.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr size_t kFewStrings = 8;  // compared one by one: most sets are one literal

// In the order of Held.
constexpr absl::string_view kTypeNames[] = {"Boolean", "Integer", "String"};

template <typename T>
ComputedScalar ScalarOf(const Values& values, Workspace& workspace, absl::string_view needed) {
  ComputedScalar scalar = Scalar(values, workspace);
  const Value* value = std::get_if<Value>(&scalar);
  if (value == nullptr || std::holds_alternative<T>(value->held)) return scalar;
  return Failure{"type",
                 absl::StrCat("needs ", needed, ", has a value of type ", TypeNameOf(value->held))};
}

}  // namespace

Held HeldOf(const ClaimValue& value, Workspace& workspace) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  return workspace.New(absl::string_view(std::get<std::string>(value)));
}

std::optional<ClaimValue> ClaimValueOf(const Held& held, Workspace& workspace) {
  if (const auto* flag = std::get_if<bool>(&held)) return *flag;
  if (const auto* number = std::get_if<int64_t>(&held)) return *number;
  const auto text = std::get<StringValue*>(held)->Text(workspace);
  if (!text) return std::nullopt;
  return std::string(*text);
}

absl::string_view TypeNameOf(const Held& held) { return kTypeNames[held.index()]; }

std::optional<bool> SameValue(const Held& a, const Held& b, Workspace& workspace) {
  if (a.index() != b.index()) return false;
  if (const auto* text = std::get_if<StringValue*>(&a)) {
    return SameText(**text, *std::get<StringValue*>(b), workspace);
  }
  return a == b;
}

ValueSet::ValueSet(const Values& values) {
  for (const Value& value : values) {
    if (const auto* flag = std::get_if<bool>(&value.held)) {
      holds_[*flag ? 1 : 0] = true;
    } else if (const auto* number = std::get_if<int64_t>(&value.held)) {
      numbers_.insert(*number);
    } else {
      strings_.push_back(std::get<StringValue*>(value.held));
    }
  }
}

std::optional<bool> ValueSet::Contains(const Held& held, Workspace& workspace) {
  if (const auto* flag = std::get_if<bool>(&held)) return holds_[*flag ? 1 : 0];
  if (const auto* number = std::get_if<int64_t>(&held)) return numbers_.contains(*number);
  if (strings_.empty()) return false;
  StringValue& string = *std::get<StringValue*>(held);
  if (strings_.size() > kFewStrings) {
    if (texts_.empty() && !Index(workspace)) return std::nullopt;
    const auto text = string.Text(workspace);
    if (!text || !workspace.Step(text->size())) return std::nullopt;
    return texts_.contains(*text);
  }
  for (StringValue* const other : strings_) {
    const std::optional<bool> same = SameText(string, *other, workspace);
    if (!same || *same) return same;
  }
  return false;
}

bool ValueSet::Index(Workspace& workspace) {
  for (StringValue* const string : strings_) {
    const auto text = string->Text(workspace);
    if (!text || !workspace.Step(text->size())) return false;
    texts_.insert(*text);
  }
  return true;
}

ComputedScalar Scalar(const Values& values, Workspace& workspace) {
  if (values.empty()) return Failure{"empty-value", "one value is needed and there is none"};
  Value one = values.front();
  for (const Value& value : values) {
    if (!workspace.Step()) return LimitFailure();
    const std::optional<bool> same = SameValue(value.held, one.held, workspace);
    if (!same) return LimitFailure();
    if (!*same) {
      return Failure{"multi-valued", "one value is needed and there are several different ones"};
    }
    one.read_only = one.read_only || value.read_only;
  }
  return one;
}

ComputedScalar ScalarString(const Values& values, Workspace& workspace) {
  return ScalarOf<StringValue*>(values, workspace, "a String");
}
ComputedScalar ScalarBoolean(const Values& values, Workspace& workspace) {
  return ScalarOf<bool>(values, workspace, "a Boolean");
}
ComputedScalar ScalarInteger(const Values& values, Workspace& workspace) {
  return ScalarOf<int64_t>(values, workspace, "an Integer");
}

}  // namespace bootgate::gatekeeper::policy
