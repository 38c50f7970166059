// What a finding that fails a host comes to. Configured by reason code; the severest of a verdict
// counts.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper {

enum class Action {
  kObserve,   // told, nothing else: the finding is a warning
  kRestrict,  // no credential is issued until evidence passes; those that are out stay good
  kIsolate    // quarantine: credentials are revoked, only an operator leads back
};
absl::string_view Name(Action action);  // "observe", "restrict", "isolate"
std::optional<Action> ActionFromName(absl::string_view name);

}  // namespace bootgate::gatekeeper
