// The functions of JMESPath: one row each.
//
// Implements: JMESPath's built-in functions; J1 of the policy language specification, section 7.2.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/jmespath/ast.h"

namespace bootgate::gatekeeper::policy::jmespath {

class Evaluator;

// What a parameter takes: a set of these bits.
using Types = uint16_t;
inline constexpr Types kNumberType = 1;
inline constexpr Types kStringType = 2;
inline constexpr Types kBooleanType = 4;
inline constexpr Types kArrayType = 8;
inline constexpr Types kObjectType = 16;
inline constexpr Types kNullType = 32;
inline constexpr Types kNumbersType = 64;   // an array of numbers alone; may be empty
inline constexpr Types kStringsType = 128;  // likewise
inline constexpr Types kExpressionType = 256;
inline constexpr Types kAnyType =
    kNumberType | kStringType | kBooleanType | kArrayType | kObjectType | kNullType;

struct Argument {
  json::Value value;
  NodeId expression = 0;  // of parameters of kExpressionType
};

struct Function {
  absl::string_view name;
  absl::Span<const Types> parameters;
  bool variadic = false;  // the last parameter may be repeated
  // Gives the result, or calls Evaluator::Fail() or spends the budget and returns false. The
  // arguments have the right types.
  bool (*run)(Evaluator& evaluator, absl::Span<const Argument> arguments, json::Value* out);
};

// Null when the dialect has no function of that name.
const Function* FindFunction(absl::string_view name, Dialect dialect);

// All functions of a dialect, by name.
std::vector<absl::string_view> FunctionNames(Dialect dialect);

}  // namespace bootgate::gatekeeper::policy::jmespath
