// What to say to somebody who named a reason code that there is none of.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace bootgate {

// "'IMA_UNLISTD' is no reason code; did you mean IMA_UNLISTED?"
std::string NoSuchCode(absl::string_view code);

}  // namespace bootgate
