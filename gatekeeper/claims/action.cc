#include "gatekeeper/claims/action.h"

namespace bootgate::gatekeeper {

absl::string_view Name(Action action) {
  switch (action) {
    case Action::kObserve:
      return "observe";
    case Action::kRestrict:
      return "restrict";
    case Action::kIsolate:
      return "isolate";
  }
  __builtin_unreachable();
}

std::optional<Action> ActionFromName(absl::string_view name) {
  for (const Action action : {Action::kObserve, Action::kRestrict, Action::kIsolate}) {
    if (Name(action) == name) return action;
  }
  return std::nullopt;
}

}  // namespace bootgate::gatekeeper
