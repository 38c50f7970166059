// JSON strings for the few places below the JSON library's floor.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace bootgate {

// `text` as a JSON string with its quotes. Control characters, quotes, backslashes are escaped;
// bytes that are not UTF-8 become \\xNN text (see Printable).
std::string JsonString(absl::string_view text);

}  // namespace bootgate
