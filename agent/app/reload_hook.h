// The operator's command that is run when the installed credential has changed.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bootgate::agent::app {

// Runs `command` (a program and its arguments; no shell, nothing is expanded) with the environment
// PATH and BOOTGATE_CREDENTIAL=`what` ("installed", "removed") alone, and waits for its end.
// kFailedPrecondition: it cannot be started, or did not end with 0. kDeadlineExceeded: it ran
// longer than `longest`, and was killed with what it had started.
absl::Status RunHook(const std::vector<std::string>& command, absl::string_view what,
                     absl::Duration longest);

}  // namespace bootgate::agent::app
