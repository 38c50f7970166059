// A string in JSON text: where it ends, and what it says.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"
#include "gatekeeper/json/arena.h"

namespace bootgate::gatekeeper::json {

struct StringToken {
  size_t end = 0;        // behind the closing quote; where the text is wrong when not `ok`
  bool ok = false;       // control characters, bad UTF-8 and a missing quote are not
  bool escaped = false;  // holds a backslash; its escapes are not looked at yet
};

// `at` is behind the opening quote.
StringToken ScanString(absl::string_view text, size_t at);

// The text between the quotes with its escapes resolved, in the arena. Nothing for an unknown
// escape or an unpaired surrogate.
std::optional<absl::string_view> Unescape(absl::string_view inside, Arena& arena);

}  // namespace bootgate::gatekeeper::json
