// The known name that a mistyped one was probably meant to be.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace bootgate {

// The candidate with the fewest single-character edits, if they are at most a third of the longer
// name's length (at least two); empty when nothing is near. Only the first 64 bytes are compared.
std::string NearestName(absl::string_view mistyped, const std::vector<std::string>& candidates);

}  // namespace bootgate
