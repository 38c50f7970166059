#include "gatekeeper/rollout/acts.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/history.h"
#include "gatekeeper/rollout/selector.h"
#include "gatekeeper/rollout/signers.h"
#include "gatekeeper/rollout/upload.h"
#include "gatekeeper/rollout/versions.h"

namespace bootgate::gatekeeper::rollout {
namespace {

using store::Step;

constexpr size_t kShownDigits = 12;

absl::Status Bad(absl::string_view text) { return Malformed(Reason::kMessageMalformed, text); }

absl::Status CheckForce(const Force& force) {
  if (force.given && force.reason.empty())
    return Bad("force needs a reason: it is kept in the audit trail");
  if (force.reason.size() > kMaxStepReason)
    return Bad(absl::StrCat("the reason is longer than ", kMaxStepReason, " bytes"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Bytes>> Roots(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const std::vector<SignerCertificate> signers, ConfiguredSigners(store));
  return RootsOf(signers);
}

store::DocumentRow DocumentOf(const PolicyVersion& version) {
  store::DocumentRow document;
  document.kind = version.row.kind;
  document.id = version.row.document_id;
  document.name = version.row.name;
  document.text = version.policy.text();
  document.author = version.row.author;
  document.created_at = version.row.at;
  return document;
}

// A selector's past and present, as read before a step.
struct Ground {
  std::string selector;
  int64_t newest = 0;
  History history;
  Assignments standing;
};

absl::StatusOr<Ground> ReadGround(store::Store& store, const std::string& selector_text,
                                  std::optional<int64_t> after_step) {
  const absl::StatusOr<std::string> selector = ReadSelector(selector_text);
  if (!selector.ok()) return Malformed(Reason::kSelector, selector.status().message());
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> steps, store.ListSteps(kPolicyKind));
  BG_ASSIGN_OR_RETURN(std::vector<store::AssignmentRow> rows, store.ListAssignments(kPolicyKind));
  const int64_t newest = NewestOf(steps);
  if (after_step.has_value() && *after_step != newest) {
    return Refuse(
        absl::StatusCode::kAborted, Reason::kRevisionStale,
        absl::StrCat("the newest step is ", newest, ", not ", *after_step, ": look at it again"));
  }
  return Ground{.selector = *selector,
                .newest = newest,
                .history = History(steps, *selector),
                .standing = Assignments(std::move(rows))};
}

std::string Named(const store::AssignmentRow* row) {
  if (row == nullptr) return "";
  return row->name.empty() ? row->document_id.substr(0, kShownDigits)
                           : VersionText(row->name, row->version);
}

store::AssignmentRow StepOf(const By& by, Step step, const std::string& selector) {
  store::AssignmentRow row;
  row.kind = kPolicyKind;
  row.selector = selector;
  row.author = by.actor;
  row.at = by.now;
  row.step = step;
  return row;
}

audit::Detail DetailOf(const StepTaken& step) {
  return audit::Detail()
      .Text("selector", step.row.selector)
      .Text("policy", Named(&step.row))
      .Text("before", step.before)
      .Text("step", Name(step.row.step))
      .Text("why", step.row.why)
      .Number("would_deny", static_cast<int64_t>(step.difference.to_deny.size()))
      .Number("would_admit", static_cast<int64_t>(step.difference.to_admit.size()))
      .Number("not_compared", static_cast<int64_t>(step.difference.not_compared.size()));
}

absl::Status Take(store::Store& store, const By& by, const Ground& ground, const char* action,
                  const StepTaken& step) {
  const absl::Status taken = store.Assign(
      step.row, audit::MakeRow(by.now, by.actor, action, step.row.document_id, DetailOf(step)),
      ground.newest);
  return absl::IsAborted(taken) ? WithReason(taken, Reason::kRevisionStale) : taken;
}

absl::Status CheckDenied(const ActivateOptions& options, const Difference& difference) {
  const auto denied = static_cast<int64_t>(difference.to_deny.size());
  if (denied <= options.accept_changes || options.force.given) return absl::OkStatus();
  const Change& first = difference.to_deny.front();
  return Refuse(
      absl::StatusCode::kFailedPrecondition, Reason::kPolicyWouldDeny,
      absl::StrCat(denied, " of ", difference.hosts,
                   " hosts would be denied; the first: ", first.host_id, ": ", first.why));
}

absl::Status CheckEnforceable(store::Store& store, const ActivateOptions& options,
                              const Ground& ground, const PolicyVersion& wanted,
                              const Difference& difference) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::VersionRow> versions,
                      store.ListVersions(kPolicyKind, ""));
  if (!options.force.given) BG_RETURN_IF_ERROR(ground.history.CheckForward(wanted.row, versions));
  return options.dry_run ? absl::OkStatus() : CheckDenied(options, difference);
}

bool IsSame(const store::AssignmentRow* standing, const store::VersionRow& wanted) {
  return standing != nullptr && standing->name == wanted.name &&
         standing->version == wanted.version && standing->document_id == wanted.document_id;
}

absl::Status CheckRollBack(const RollBackOptions& options, const Ground& ground) {
  BG_RETURN_IF_ERROR(CheckForce({.given = true, .reason = options.reason}));
  if (ground.history.enforced() == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("no policy is enforced for ", ForWhom(ground.selector)));
  }
  const bool others = !ground.selector.empty() && ground.standing.Of("").enforced != nullptr;
  if (ground.history.before() == nullptr && !others) {
    return absl::FailedPreconditionError(
        "it is the first policy there: without it hosts would be denied with NO_POLICY");
  }
  return absl::OkStatus();
}

// What the way back changes; it is taken in any case, so that this may fail.
Difference DifferenceOf(store::Store& store, const Ground& ground, const store::AssignmentRow& to,
                        uint32_t quoted_mask) {
  const absl::StatusOr<store::DocumentRow> document =
      store.GetDocument(kPolicyKind, to.document_id);
  if (!document.ok()) return {};
  policy::ParseError error;
  const std::optional<policy::Policy> policy = policy::Policy::Read(document->text, &error);
  if (!policy.has_value()) return {};
  absl::StatusOr<Difference> difference =
      PlannedDifference(store, ground.selector, *policy, quoted_mask);
  return difference.ok() ? *std::move(difference) : Difference();
}

}  // namespace

absl::StatusOr<PolicyVersion> ReadPolicyVersion(store::Store& store, const By& by,
                                                const std::string& name, absl::string_view source,
                                                absl::string_view bytes, const Force& force) {
  BG_RETURN_IF_ERROR(CheckForce(force));
  if (!IsPolicyName(name)) {
    return Bad(absl::StrCat("'", Printable(name, 128),
                            "' is no name of a policy: letters, digits, - and _, at most ",
                            kMaxPolicyName));
  }
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> roots, Roots(store));
  BG_ASSIGN_OR_RETURN(Upload upload, ReadUpload(source, bytes, roots, by.now));
  BG_ASSIGN_OR_RETURN(const std::vector<store::VersionRow> versions,
                      store.ListVersions(kPolicyKind, name));
  BG_ASSIGN_OR_RETURN(const NextVersion next,
                      VersionFor(versions, name, upload.policy.id(), upload.signer, force.given));
  if (next.same.has_value())
    return PolicyVersion{.row = *next.same, .policy = std::move(upload.policy), .stored = true};
  store::VersionRow row;
  row.kind = kPolicyKind;
  row.name = name;
  row.version = next.number;
  row.document_id = upload.policy.id();
  row.author = by.actor;
  row.at = by.now;
  row.upload = std::move(upload.jws);
  row.signer = std::move(upload.signer);
  return PolicyVersion{.row = row, .policy = std::move(upload.policy), .stored = false};
}

absl::StatusOr<PolicyVersion> FindPolicyVersion(store::Store& store, const std::string& name,
                                                int64_t version) {
  VersionRef ref{.name = name, .version = std::nullopt};
  if (version != 0) ref.version = version;
  BG_ASSIGN_OR_RETURN(const std::vector<store::VersionRow> versions,
                      store.ListVersions(kPolicyKind, name));
  BG_ASSIGN_OR_RETURN(store::VersionRow row, FindVersion(versions, ref));
  BG_ASSIGN_OR_RETURN(const store::DocumentRow document,
                      store.GetDocument(kPolicyKind, row.document_id));
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> roots, Roots(store));
  // As of when it was taken: that a certificate ran out since does not make the policy worse.
  BG_ASSIGN_OR_RETURN(Upload upload,
                      ReadUpload(VersionText(row.name, row.version),
                                 row.upload.empty() ? document.text : row.upload, roots, row.at));
  return PolicyVersion{.row = std::move(row), .policy = std::move(upload.policy), .stored = true};
}

absl::Status PutPolicyVersion(store::Store& store, const By& by, const Force& force,
                              PolicyVersion* version) {
  if (version->stored) return absl::OkStatus();
  const store::VersionRow& row = version->row;
  audit::Detail detail = audit::Detail()
                             .Text("name", row.name)
                             .Number("version", row.version)
                             .Text("signer", row.signer);
  if (force.given) detail.Text("forced", force.reason);
  BG_RETURN_IF_ERROR(
      store.PutVersion(DocumentOf(*version), row,
                       audit::MakeRow(by.now, by.actor, "policy.push", row.document_id, detail)));
  version->stored = true;
  return absl::OkStatus();
}

absl::StatusOr<StepTaken> Activate(store::Store& store, const By& by, PolicyVersion version,
                                   const ActivateOptions& options) {
  BG_RETURN_IF_ERROR(CheckForce(options.force));
  BG_ASSIGN_OR_RETURN(const Ground ground, ReadGround(store, options.selector, options.after_step));
  const bool report = options.mode == PolicyMode::kReport;
  StepTaken out;
  BG_ASSIGN_OR_RETURN(out.difference, PlannedDifference(store, ground.selector, version.policy,
                                                        options.quoted_mask));
  if (!report)
    BG_RETURN_IF_ERROR(CheckEnforceable(store, options, ground, version, out.difference));
  out.row = StepOf(by, report ? Step::kReport : Step::kEnforce, ground.selector);
  out.row.document_id = version.row.document_id;
  out.row.name = version.row.name;
  out.row.version = version.row.version;
  out.row.why = options.force.reason;
  const Applied standing = ground.standing.Of(ground.selector);
  out.before = Named(standing.enforced);
  out.changed = !IsSame(report ? standing.candidate : standing.enforced, version.row);
  if (!out.changed || options.dry_run) return out;
  BG_RETURN_IF_ERROR(PutPolicyVersion(store, by, options.force, &version));
  BG_RETURN_IF_ERROR(Take(store, by, ground, report ? "policy.report" : "policy.activate", out));
  return out;
}

absl::StatusOr<StepTaken> RollBack(store::Store& store, const By& by,
                                   const RollBackOptions& options) {
  BG_ASSIGN_OR_RETURN(const Ground ground, ReadGround(store, options.selector, options.after_step));
  BG_RETURN_IF_ERROR(CheckRollBack(options, ground));
  const store::AssignmentRow* const to = ground.history.before();
  StepTaken out;
  out.row = StepOf(by, to == nullptr ? Step::kEnd : Step::kRollBack, ground.selector);
  out.row.why = options.reason;
  out.before = Named(ground.history.enforced());
  if (to != nullptr) {
    out.row.document_id = to->document_id;
    out.row.name = to->name;
    out.row.version = to->version;
    out.difference = DifferenceOf(store, ground, *to, options.quoted_mask);
  }
  BG_RETURN_IF_ERROR(Take(store, by, ground, "policy.rollback", out));
  return out;
}

}  // namespace bootgate::gatekeeper::rollout
