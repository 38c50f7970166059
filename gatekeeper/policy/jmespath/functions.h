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
inline constexpr Types kNumber = 1;
inline constexpr Types kString = 2;
inline constexpr Types kBoolean = 4;
inline constexpr Types kArray = 8;
inline constexpr Types kObject = 16;
inline constexpr Types kNull = 32;
inline constexpr Types kNumbers = 64;   // an array of numbers alone; may be empty
inline constexpr Types kStrings = 128;  // likewise
inline constexpr Types kExpressionType = 256;
inline constexpr Types kAny = kNumber | kString | kBoolean | kArray | kObject | kNull;

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
