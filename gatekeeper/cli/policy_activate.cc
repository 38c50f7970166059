#include "gatekeeper/cli/policy_activate.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/fleet.h"
#include "gatekeeper/rollout/history.h"
#include "gatekeeper/rollout/selector.h"
#include "gatekeeper/rollout/versions.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;
using store::Step;

constexpr size_t kShownDigits = 12;

// A selector's past and present, as read before a step.
struct Ground {
  std::string selector;
  int64_t newest = 0;
  rollout::History history;
  rollout::Assignments standing;
};

absl::StatusOr<Ground> ReadGround(const Operator& op, const std::string& selector_text) {
  BG_ASSIGN_OR_RETURN(const std::string selector, rollout::ReadSelector(selector_text));
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> steps,
                      op.store.ListSteps(rollout::kPolicyKind));
  BG_ASSIGN_OR_RETURN(std::vector<store::AssignmentRow> rows,
                      op.store.ListAssignments(rollout::kPolicyKind));
  return Ground{.selector = selector,
                .newest = rollout::NewestOf(steps),
                .history = rollout::History(steps, selector),
                .standing = rollout::Assignments(std::move(rows))};
}

std::string Named(const store::AssignmentRow* row) {
  if (row == nullptr) return "";
  return row->name.empty() ? row->document_id.substr(0, kShownDigits)
                           : rollout::VersionText(row->name, row->version);
}

store::AssignmentRow StepOf(const Operator& op, Step step, const std::string& selector) {
  store::AssignmentRow row;
  row.kind = rollout::kPolicyKind;
  row.selector = selector;
  row.author = op.actor;
  row.at = op.clock.Now();
  row.step = step;
  return row;
}

// What a step came to, as told and as audited.
struct Outcome {
  std::string policy, before;  // "" where there is none
  rollout::Difference difference;
  std::string done;  // "is enforced for ..."
  bool changed = true;
};

void Print(const Operator& op, const store::AssignmentRow& row, const Outcome& outcome) {
  const rollout::Difference& difference = outcome.difference;
  if (op.format == OutputFormat::kJson) {
    op.out << ordered_json{{"kind", row.kind},
                           {"id", row.document_id},
                           {"name", row.name},
                           {"version", row.version},
                           {"selector", row.selector},
                           {"step", std::string(Name(row.step))},
                           {"before", outcome.before},
                           {"changed", outcome.changed},
                           {"hosts", difference.hosts},
                           {"same", difference.same},
                           {"to_deny", difference.to_deny.size()},
                           {"to_admit", difference.to_admit.size()},
                           {"not_compared", difference.not_compared.size()}}
                  .dump(2)
           << "\n";
    return;
  }
  op.out << "policy " << outcome.policy << " " << outcome.done << "\n";
  if (!outcome.before.empty()) op.out << "before: " << outcome.before << "\n";
  if (difference.hosts == 0) return;
  op.out << "of " << difference.hosts << " hosts, by their last verdicts: " << difference.same
         << " stay as they are, " << difference.to_deny.size() << " turn to DENY, "
         << difference.to_admit.size() << " to ADMIT, " << difference.not_compared.size()
         << " cannot be told\n";
}

audit::Detail DetailOf(const store::AssignmentRow& row, const Outcome& outcome) {
  return audit::Detail()
      .Text("selector", row.selector)
      .Text("policy", outcome.policy)
      .Text("before", outcome.before)
      .Text("step", Name(row.step))
      .Text("why", row.why)
      .Number("would_deny", static_cast<int64_t>(outcome.difference.to_deny.size()))
      .Number("would_admit", static_cast<int64_t>(outcome.difference.to_admit.size()))
      .Number("not_compared", static_cast<int64_t>(outcome.difference.not_compared.size()));
}

ExitCode Take(const Operator& op, const Ground& ground, const store::AssignmentRow& row,
              const char* action, const Outcome& outcome) {
  const absl::Status status = op.store.Assign(
      row, AuditOf(op, action, row.document_id, DetailOf(row, outcome)), ground.newest);
  if (!status.ok()) return Fail(op.err, status);
  Print(op, row, outcome);
  return ExitCode::kSuccess;
}

absl::Status CheckDenied(const PolicyActivateOptions& options,
                         const rollout::Difference& difference) {
  const auto denied = static_cast<int64_t>(difference.to_deny.size());
  if (denied <= options.accept_changes || options.force.given) return absl::OkStatus();
  const rollout::Change& first = difference.to_deny.front();
  return Refuse(
      absl::StatusCode::kFailedPrecondition, Reason::kPolicyWouldDeny,
      absl::StrCat(denied, " of ", difference.hosts,
                   " hosts would be denied; the first: ", first.host_id, ": ", first.why));
}

absl::StatusOr<PolicyVersion> Wanted(const Operator& op, const PolicyActivateOptions& options) {
  return rollout::IsPath(options.policy) ? ReadPolicyVersion(op, options.policy, "", options.force)
                                         : FindPolicyVersion(op, options.policy);
}

absl::Status CheckEnforceable(const Operator& op, const PolicyActivateOptions& options,
                              const Ground& ground, const PolicyVersion& wanted,
                              const rollout::Difference& difference) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::VersionRow> versions,
                      op.store.ListVersions(rollout::kPolicyKind, ""));
  if (!options.force.given) BG_RETURN_IF_ERROR(ground.history.CheckForward(wanted.row, versions));
  return CheckDenied(options, difference);
}

bool IsSame(const store::AssignmentRow* standing, const store::VersionRow& wanted) {
  return standing != nullptr && standing->name == wanted.name &&
         standing->version == wanted.version && standing->document_id == wanted.document_id;
}

// Everything that can refuse comes before anything is stored.
absl::StatusOr<PolicyVersion> Admissible(const Operator& op, const PolicyActivateOptions& options,
                                         const Ground& ground, rollout::Difference* difference) {
  BG_RETURN_IF_ERROR(CheckForce(options.force));
  BG_ASSIGN_OR_RETURN(PolicyVersion wanted, Wanted(op, options));
  BG_ASSIGN_OR_RETURN(*difference, rollout::PlannedDifference(op.store, ground.selector,
                                                              wanted.policy, options.quoted_mask));
  if (options.mode == PolicyMode::kEnforce)
    BG_RETURN_IF_ERROR(CheckEnforceable(op, options, ground, wanted, *difference));
  BG_RETURN_IF_ERROR(PutPolicyVersion(op, options.force, &wanted));
  return wanted;
}

}  // namespace

ExitCode PolicyActivate(const Operator& op, const PolicyActivateOptions& options) {
  const absl::StatusOr<Ground> ground = ReadGround(op, options.selector);
  if (!ground.ok()) return Fail(op.err, ground.status());
  Outcome outcome;
  const absl::StatusOr<PolicyVersion> wanted =
      Admissible(op, options, *ground, &outcome.difference);
  if (!wanted.ok()) return Fail(op.err, wanted.status());
  const bool report = options.mode == PolicyMode::kReport;
  store::AssignmentRow row = StepOf(op, report ? Step::kReport : Step::kEnforce, ground->selector);
  row.document_id = wanted->row.document_id;
  row.name = wanted->row.name;
  row.version = wanted->row.version;
  row.why = options.force.reason;
  const rollout::Applied standing = ground->standing.Of(ground->selector);
  outcome.policy = absl::StrCat(Named(&row), " (", row.document_id.substr(0, kShownDigits), ")");
  outcome.before = Named(standing.enforced);
  const std::string whom = rollout::ForWhom(ground->selector);
  if (IsSame(report ? standing.candidate : standing.enforced, wanted->row)) {
    outcome.changed = false;
    outcome.done = absl::StrCat("is ", report ? "reported on" : "enforced", " already for ", whom);
    Print(op, row, outcome);
    return ExitCode::kSuccess;
  }
  outcome.done =
      report ? absl::StrCat("is reported on for ", whom, ", without effect; see `policy diff`")
             : absl::StrCat("is enforced for ", whom);
  return Take(op, *ground, row, report ? "policy.report" : "policy.activate", outcome);
}

namespace {

absl::Status CheckRollback(const PolicyRollbackOptions& options, const Ground& ground) {
  if (options.reason.empty()) return absl::InvalidArgumentError("a rollback needs --reason TEXT");
  BG_RETURN_IF_ERROR(CheckForce({.given = true, .reason = options.reason}));
  if (ground.history.enforced() == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("no policy is enforced for ", rollout::ForWhom(ground.selector)));
  }
  const bool others = !ground.selector.empty() && ground.standing.Of("").enforced != nullptr;
  if (ground.history.before() == nullptr && !others) {
    return absl::FailedPreconditionError(
        "it is the first policy there: without it hosts would be denied with NO_POLICY");
  }
  return absl::OkStatus();
}

// What the way back changes; it is taken in any case, so that this may fail.
rollout::Difference DifferenceOf(const Operator& op, const Ground& ground,
                                 const store::AssignmentRow& to, uint32_t quoted_mask) {
  const absl::StatusOr<store::DocumentRow> document =
      op.store.GetDocument(rollout::kPolicyKind, to.document_id);
  if (!document.ok()) return {};
  policy::ParseError error;
  const std::optional<policy::Policy> policy = policy::Policy::Read(document->text, &error);
  if (!policy.has_value()) return {};
  absl::StatusOr<rollout::Difference> difference =
      rollout::PlannedDifference(op.store, ground.selector, *policy, quoted_mask);
  return difference.ok() ? *std::move(difference) : rollout::Difference();
}

}  // namespace

ExitCode PolicyRollback(const Operator& op, const PolicyRollbackOptions& options) {
  const absl::StatusOr<Ground> ground = ReadGround(op, options.selector);
  if (!ground.ok()) return Fail(op.err, ground.status());
  const absl::Status possible = CheckRollback(options, *ground);
  if (!possible.ok()) return Fail(op.err, possible);
  const store::AssignmentRow* const to = ground->history.before();
  store::AssignmentRow row =
      StepOf(op, to == nullptr ? Step::kEnd : Step::kRollBack, ground->selector);
  row.why = options.reason;
  Outcome outcome;
  outcome.before = Named(ground->history.enforced());
  const std::string whom = rollout::ForWhom(ground->selector);
  if (to == nullptr) {
    outcome.policy = outcome.before;
    outcome.done = absl::StrCat("is not enforced any more for ", whom);
  } else {
    row.document_id = to->document_id;
    row.name = to->name;
    row.version = to->version;
    outcome.policy = Named(to);
    outcome.done = absl::StrCat("is enforced again for ", whom);
    outcome.difference = DifferenceOf(op, *ground, *to, options.quoted_mask);
  }
  return Take(op, *ground, row, "policy.rollback", outcome);
}

ExitCode PolicyWithdraw(const Operator& op, const std::string& selector) {
  const absl::StatusOr<Ground> ground = ReadGround(op, selector);
  if (!ground.ok()) return Fail(op.err, ground.status());
  const store::AssignmentRow* const candidate = ground->standing.Of(ground->selector).candidate;
  if (candidate == nullptr) {
    return Fail(op.err, absl::FailedPreconditionError(absl::StrCat(
                            "no policy is reported on for ", rollout::ForWhom(ground->selector))));
  }
  Outcome outcome;
  outcome.policy = Named(candidate);
  outcome.done =
      absl::StrCat("is not reported on any more for ", rollout::ForWhom(ground->selector));
  return Take(op, *ground, StepOf(op, Step::kEndReport, ground->selector), "policy.withdraw",
              outcome);
}

}  // namespace bootgate::gatekeeper::cli
