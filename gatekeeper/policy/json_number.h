// The exact value of a JSON number that is an integer, however it is written: 3, 3.0, 1e3.
//
// Implements: policy language specification, section 4.2. No rounding through floating point.
#pragma once

#include <cstdint>
#include <variant>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::policy {

enum class NumberProblem { kFraction, kOverflow };

// `text` must be a number by the JSON grammar.
std::variant<int64_t, NumberProblem> ExactInteger(absl::string_view text);

}  // namespace bootgate::gatekeeper::policy
