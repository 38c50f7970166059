// The functions of the policy language: names, arguments, and what they compute.
//
// Implements: policy language specification, section 4.
#pragma once

#include <array>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gatekeeper/policy/jmespath/expression.h"
#include "gatekeeper/policy/values.h"

namespace bootgate::gatekeeper::policy {

enum class Function {
  kJmesPath,
  kJsonToClaimValue,
  kIsSubsetOf,
  kAppendString,
  kNegateBool,
  kContainsOnlyValue,
};

enum class ParameterKind { kString, kBoolean, kAnyScalar, kSet };

struct FunctionRow {
  Function function;
  absl::string_view name;
  size_t arity;                             // 1 or 2
  std::array<ParameterKind, 2> parameters;  // the first `arity` count
};

// The row of a name, spelled exactly; null when there is none.
const FunctionRow* FindFunction(absl::string_view name);

// Whether a literal of this type can be given for the parameter.
bool Accepts(ParameterKind parameter, const ClaimValue& literal);

// Runs a function on as many arguments as it takes. `query`: the compiled second argument of
// JmesPath where that is a literal, else nullptr.
Computed CallFunction(const FunctionRow& row, absl::Span<const Values> arguments,
                      const jmespath::Expression* query, Workspace& workspace);

}  // namespace bootgate::gatekeeper::policy
