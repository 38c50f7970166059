// Structured log lines on standard error, one JSON object a line, for journald.
//
// Values are escaped; nothing that a host sent can start a new line or a new
// field. Never pass a secret: SecretBytes does not convert to text on purpose.
// Any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace bootgate {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

using LogField = std::pair<absl::string_view, std::string>;

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {});
void SetLogLevel(LogLevel lowest_shown);

}  // namespace bootgate
