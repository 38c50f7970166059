// JSON text to values.
//
// Implements: RFC 8259, strictly, with valid UTF-8 and no unpaired surrogates. Of members with the
// same name the last value wins, at the place of the first. Does not recurse.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/json/arena.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::json {

struct ParseLimits {
  size_t depth = 256;              // arrays and objects inside one another
  size_t nodes = size_t{1} << 22;  // values and members
  size_t text_bytes = size_t{64} << 20;
};

// The value borrows `text` (strings without escapes, big integers) and `arena` (the rest); to have
// it borrow the arena alone, parse arena.Keep(text).
//
// Errors, with the offset in bytes in the message:
//   kInvalidArgument    not JSON
//   kOutOfRange         JSON, up to a number that no double can hold
//   kResourceExhausted  a limit, or the arena's
absl::StatusOr<Value> Parse(absl::string_view text, Arena& arena, const ParseLimits& limits = {});

// A number by the JSON grammar and nothing around it. Borrows `text` when it is a big integer.
// Errors: kInvalidArgument no number; kOutOfRange no double can hold it.
absl::StatusOr<Value> ParseNumber(absl::string_view text);

}  // namespace bootgate::gatekeeper::json
