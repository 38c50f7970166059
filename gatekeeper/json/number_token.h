// A number in JSON text, found and then given its value.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::json {

struct NumberToken {
  absl::string_view text;  // empty: there is no number
  bool whole = true;       // without point and exponent
};

// The longest number by the JSON grammar from `at` on. A number that breaks off (`1.`, `-`) or has
// a zero before it (`01`) is none.
NumberToken ScanNumber(absl::string_view text, size_t at);

// Nothing when no double can hold it. Borrows the token's text when it is a big integer.
std::optional<Value> NumberValue(const NumberToken& token);

}  // namespace bootgate::gatekeeper::json
