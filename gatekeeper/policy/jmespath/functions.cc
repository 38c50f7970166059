#include "gatekeeper/policy/jmespath/functions.h"

#include <algorithm>

#include "gatekeeper/policy/jmespath/function_rows.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

constexpr Types kOneNumber[] = {kNumberType};
constexpr Types kOneNumbers[] = {kNumbersType};
constexpr Types kOneAny[] = {kAnyType};
constexpr Types kOneObject[] = {kObjectType};
constexpr Types kTwoAny[] = {kAnyType, kAnyType};
constexpr Types kTwoStrings[] = {kStringType, kStringType};
constexpr Types kContains[] = {kArrayType | kStringType, kAnyType};
constexpr Types kJoin[] = {kStringType, kStringsType};
constexpr Types kLength[] = {kStringType | kArrayType | kObjectType};
constexpr Types kMap[] = {kExpressionType, kArrayType};
constexpr Types kOrderable[] = {kNumbersType | kStringsType};
constexpr Types kBy[] = {kArrayType, kExpressionType};
constexpr Types kReverse[] = {kStringType | kArrayType};

// By name.
constexpr Function kFunctions[] = {
    {"abs", kOneNumber, false, RunAbs},
    {"avg", kOneNumbers, false, RunAvg},
    {"ceil", kOneNumber, false, RunCeil},
    {"contains", kContains, false, RunContains},
    {"ends_with", kTwoStrings, false, RunEndsWith},
    {"floor", kOneNumber, false, RunFloor},
    {"join", kJoin, false, RunJoin},
    {"keys", kOneObject, false, RunKeys},
    {"length", kLength, false, RunLength},
    {"map", kMap, false, RunMap},
    {"max", kOrderable, false, RunMax},
    {"max_by", kBy, false, RunMaxBy},
    {"merge", kOneObject, true, RunMerge},
    {"min", kOrderable, false, RunMin},
    {"min_by", kBy, false, RunMinBy},
    {"not_null", kOneAny, true, RunNotNull},
    {"reverse", kReverse, false, RunReverse},
    {"sort", kOrderable, false, RunSort},
    {"sort_by", kBy, false, RunSortBy},
    {"starts_with", kTwoStrings, false, RunStartsWith},
    {"sum", kOneNumbers, false, RunSum},
    {"to_array", kOneAny, false, RunToArray},
    {"to_number", kOneAny, false, RunToNumber},
    {"to_string", kOneAny, false, RunToString},
    {"type", kOneAny, false, RunType},
    {"values", kOneObject, false, RunValues},
};

// Of the policy dialect alone (J1).
constexpr Function kPolicyFunctions[] = {
    {"equals_ignore_case", kTwoAny, false, RunEqualsIgnoreCase},
};

const Function* FindIn(absl::Span<const Function> functions, absl::string_view name) {
  const auto found =
      std::find_if(functions.begin(), functions.end(),
                   [name](const Function& function) { return function.name == name; });
  return found == functions.end() ? nullptr : &*found;
}

}  // namespace

const Function* FindFunction(absl::string_view name, Dialect dialect) {
  const Function* const found = FindIn(kFunctions, name);
  if (found != nullptr || dialect == Dialect::kStandard) return found;
  return FindIn(kPolicyFunctions, name);
}

std::vector<absl::string_view> FunctionNames(Dialect dialect) {
  std::vector<absl::string_view> names;
  for (const Function& function : kFunctions) names.push_back(function.name);
  if (dialect == Dialect::kPolicy) {
    for (const Function& function : kPolicyFunctions) names.push_back(function.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace bootgate::gatekeeper::policy::jmespath
