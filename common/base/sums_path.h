// Paths as sha256sum writes them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bootgate {

// The path of a line that begins with a backslash: \n, \r and \\ stand for the bytes that a line
// cannot hold. kInvalidArgument for any other escape.
absl::StatusOr<std::string> UnescapeSumsPath(absl::string_view path);

}  // namespace bootgate
