// Exit codes of both binaries (architecture page, section 8).
#pragma once

#include "absl/status/status.h"

namespace bootgate {

enum class ExitCode : int {
  kSuccess = 0,
  kInternal = 1,
  kUsage = 2,  // command line or configuration
  kNotAuthorised = 3,
  kTpm = 4,
  kUnreachable = 5,  // no gatekeeper answered
  kDenied = 6,       // the verdict is negative
  kRejected = 7,     // the evidence was not accepted as evidence
  kNotFound = 8,
  kConflict = 9,  // or a precondition that does not hold
  kTimedOut = 10,
  kPartial = 11,
};

// The code for a command that ended with `status`.
ExitCode ExitCodeFor(const absl::Status& status);

}  // namespace bootgate
