#include "common/base/log.h"

#include <unistd.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/json_text.h"

namespace bootgate {
namespace {

std::atomic<LogLevel> lowest_shown_level{LogLevel::kInfo};

absl::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  __builtin_unreachable();
}

}  // namespace

void SetLogLevel(LogLevel lowest_shown) { lowest_shown_level = lowest_shown; }

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  if (level < lowest_shown_level) return;
  std::string line = absl::StrCat("{\"time\":\"", FormatUtc(absl::Now()), "\",\"level\":\"",
                                  Name(level), "\",\"message\":", JsonString(message));
  for (const auto& [key, value] : fields) {
    absl::StrAppend(&line, ",", JsonString(key), ":", JsonString(value));
  }
  line += "}\n";
  // One write per line, so that lines of several threads do not mix. A log that cannot be written
  // has nowhere to be reported.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace bootgate
