#include "gatekeeper/softening/actions.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/no_such_code.h"

namespace bootgate::gatekeeper::softening {
namespace {

struct Limit {
  Reason code;
  Action mildest;
  const char* why;
};
constexpr Limit kLimits[] = {
    {Reason::kNoPolicy, Action::kIsolate,
     "a host without a policy is never admitted; assign it one"},
    {Reason::kPolicyError, Action::kRestrict,
     "what a policy could not compute permits nobody; correct the rule"},
    {Reason::kTpmResetAnomaly, Action::kIsolate,
     "the registers of a TPM that was reset under a running kernel prove nothing"},
    {Reason::kTpmCloneSuspected, Action::kIsolate, "one of two machines is not the enrolled one"},
    {Reason::kTpmDistrusted, Action::kIsolate,
     "an operator said so; take that back with `ek distrust remove`"},
};

// Of DENY's class in the table, and never found in evidence.
constexpr Reason kNoFindings[] = {Reason::kQuarantined, Reason::kSealStateMoved,
                                  Reason::kOperatorQuarantine, Reason::kBrakeEngaged};

bool CanBeFound(Reason code) {
  return Info(code).outcome == OutcomeClass::kDeny &&
         std::ranges::find(kNoFindings, code) == std::end(kNoFindings);
}

}  // namespace

Action ActionOf(const Actions& actions, Reason code) {
  const auto named = actions.of.find(code);
  const Action wanted = named == actions.of.end() ? actions.otherwise : named->second;
  return std::max(wanted, MildestFor(code).action);
}

Mildest MildestFor(Reason code) {
  for (const Limit& limit : kLimits) {
    if (limit.code == code) return {limit.mildest, limit.why};
  }
  return {};
}

absl::StatusOr<Reason> ReadCode(absl::string_view code, Action action) {
  const std::optional<Reason> reason = ReasonFromCode(code);
  if (!reason.has_value()) return absl::InvalidArgumentError(NoSuchCode(code));
  if (!CanBeFound(*reason)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Code(*reason), " is never the finding of a DENY"));
  }
  const Mildest mildest = MildestFor(*reason);
  if (action < mildest.action) {
    return absl::InvalidArgumentError(
        absl::StrCat(Code(*reason), " may not come to ", Name(action), ": ", mildest.why));
  }
  return *reason;
}

absl::StatusOr<Actions> ReadActions(const ActionLists& lists) {
  Actions out;
  std::vector<std::string> wrong;
  const std::optional<Action> otherwise = ActionFromName(lists.otherwise);
  if (!otherwise.has_value() || *otherwise == Action::kObserve) {
    wrong.push_back(absl::StrCat("default: '", Printable(lists.otherwise, 32),
                                 "' is neither isolate nor restrict"));
  } else {
    out.otherwise = *otherwise;
  }
  for (const auto& [action, codes] :
       {std::pair<Action, const std::vector<std::string>&>{Action::kObserve, lists.observe},
        {Action::kRestrict, lists.restrict},
        {Action::kIsolate, lists.isolate}}) {
    for (const std::string& code : codes) {
      const absl::StatusOr<Reason> reason = ReadCode(code, action);
      if (!reason.ok()) {
        wrong.push_back(absl::StrCat(Name(action), ": ", reason.status().message()));
      } else if (!out.of.emplace(*reason, action).second) {
        wrong.push_back(absl::StrCat(Name(action), ": ", code, " is named twice"));
      }
    }
  }
  if (wrong.empty()) return out;
  return absl::InvalidArgumentError(absl::StrJoin(wrong, "\n"));
}

std::vector<std::string> Softened(const Actions& actions) {
  std::vector<std::string> out;
  if (actions.otherwise != Action::kIsolate)
    out.push_back(absl::StrCat("default=", Name(actions.otherwise)));
  for (const auto& [code, action] : actions.of) {
    if (action != Action::kIsolate) out.push_back(absl::StrCat(Code(code), "=", Name(action)));
  }
  return out;
}

Action WorstAction(const std::vector<Finding>& findings) {
  Action worst = Action::kObserve;
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::kFail) continue;
    if (Info(finding.code).outcome == OutcomeClass::kError) continue;  // our fault, not the host's
    worst = std::max(worst, finding.action.value_or(Action::kIsolate));
  }
  return worst;
}

}  // namespace bootgate::gatekeeper::softening
