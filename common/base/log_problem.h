// A Status that nobody waits for any more becomes a log line.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bootgate {

// Nothing for OK. Else an error: `what`, the reason code ("-" for none) and the message.
void LogProblem(absl::string_view what, const absl::Status& status);

}  // namespace bootgate
