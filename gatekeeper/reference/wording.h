// How a difference between two descriptions is said to a person.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::reference {

// "SecureBoot was 01 (on), is 00 (off)"; "kernel command line gained `init=/bin/bash`"; for texts
// that do not differ "... has other content".
std::string SayChange(absl::string_view was, absl::string_view is);

}  // namespace bootgate::gatekeeper::reference
