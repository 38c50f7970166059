// Values to text.
//
// Implements: policy language specification, section 4.1: no white space, members in their order,
// strings escape only `"`, `\` and control characters, integers as digits, other numbers in the
// shortest form that reads back to the same double.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "gatekeeper/json/budget.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::json {

// Nothing when the budget is spent or a deferred object did not fit into its arena. A value whose
// parts are shared can have a text much longer than itself: a step for each value written, a byte
// for each character. Does not recurse.
std::optional<std::string> CanonicalText(const Value& value, Budget& budget);

// For people: one element or member a line, two spaces for each level.
std::optional<std::string> IndentedText(const Value& value, Budget& budget);

// The text as a JSON string with its quotes.
void AppendQuoted(absl::string_view text, std::string* out);

// A finite double in the shortest form: 0.1, 1e+20, 1.5e-07.
std::string RealText(double value);

}  // namespace bootgate::gatekeeper::json
