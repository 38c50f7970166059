#include "common/base/log_problem.h"

#include <optional>
#include <string>

#include "common/base/log.h"
#include "common/base/reason.h"

namespace bootgate {

void LogProblem(absl::string_view what, const absl::Status& status) {
  if (status.ok()) return;
  const std::optional<Reason> reason = ReasonOf(status);
  Log(LogLevel::kError, what,
      {{"reason", reason.has_value() ? std::string(Code(*reason)) : "-"},
       {"text", std::string(status.message())}});
}

}  // namespace bootgate
