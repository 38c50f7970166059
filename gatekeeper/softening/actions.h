// What each finding that fails a host comes to, by its reason code: `[actions]` of the
// configuration. Pure.
//
// Not everything can be softened. A table says of a few codes what is the mildest that makes sense:
// where it is about the gatekeeper's own rules, or where all other findings would mean nothing
// without it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/reason.h"
#include "gatekeeper/claims/action.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::softening {

struct Actions {
  Action otherwise = Action::kIsolate;  // of codes that are not named: kIsolate or kRestrict
  std::map<Reason, Action> of;
};
Action ActionOf(const Actions& actions, Reason code);

// The mildest that a finding of this code may come to, and why it may not be milder.
struct Mildest {
  Action action = Action::kObserve;
  std::string why;  // empty: there is no limit
};
Mildest MildestFor(Reason code);

// A code that can be the finding of a DENY, and that may come to `action`. kInvalidArgument with a
// sentence that names the code and what is wrong with it.
absl::StatusOr<Reason> ReadCode(absl::string_view code, Action action);

// As written in a configuration; none of the codes twice.
struct ActionLists {
  std::string otherwise = "isolate";
  std::vector<std::string> observe, restrict, isolate;
};
// kInvalidArgument: what is wrong, a line each, "LIST: sentence".
absl::StatusOr<Actions> ReadActions(const ActionLists& lists);

// The codes that come to less than isolation, "CODE=action" each, in order; where `otherwise` is
// less, it comes first. Empty: nothing is softened.
std::vector<std::string> Softened(const Actions& actions);

// What a verdict with these findings comes to; kObserve: none of them fails.
Action WorstAction(const std::vector<Finding>& findings);

}  // namespace bootgate::gatekeeper::softening
