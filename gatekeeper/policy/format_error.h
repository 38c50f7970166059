// Problems of a policy text as people read them in a terminal.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::policy {

// "FILE:LINE:COLUMN: error: MESSAGE [KIND]", the offending line and a caret under the place, each
// with a line feed. Whatever the text holds, the result cannot drive a terminal; of a long line the
// part around the place is shown.
std::string FormatError(absl::string_view file, absl::string_view text, const ParseError& error);

// The same with "warning" and the warning's code.
std::string FormatWarning(absl::string_view file, absl::string_view text, const Warning& warning);

}  // namespace bootgate::gatekeeper::policy
