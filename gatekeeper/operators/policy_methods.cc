// PolicyService and ReferenceService over gatekeeper/rollout.
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/policies.pb.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"
#include "gatekeeper/reference/reference.h"
#include "gatekeeper/rollout/acts.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/history.h"
#include "gatekeeper/rollout/selector.h"

namespace bootgate::gatekeeper::operators {
namespace {

using rollout::kPolicyKind;
using rollout::kReferenceKind;
using store::AssignmentRow;

constexpr int kMaxTold = 1000;  // hosts of a difference

rollout::By ByOf(const Call& call) { return {call.caller.actor, call.backend.clock.Now()}; }

void Encode(const AssignmentRow& row, v1::Assignment* out) {
  out->set_step(row.sequence);
  out->set_selector(row.selector);
  const bool report = row.step == store::Step::kReport || row.step == store::Step::kEndReport;
  out->set_mode(report ? v1::ROLLOUT_MODE_REPORT : v1::ROLLOUT_MODE_ENFORCE);
  out->set_name(row.name);
  out->set_version(row.version);
  out->set_document_id(row.document_id);
  out->set_author(row.author);
  operators::Encode(row.at, out->mutable_at());
  out->set_why(row.why);
}

void Encode(const store::VersionRow& row, const std::vector<AssignmentRow>& standing,
            v1::PolicyVersion* out) {
  out->set_name(row.name);
  out->set_version(row.version);
  out->set_policy_id(row.document_id);
  out->set_author(row.author);
  operators::Encode(row.at, out->mutable_at());
  out->set_signer(row.signer);
  for (const AssignmentRow& applied : standing) {
    if (applied.document_id != row.document_id || applied.name != row.name ||
        applied.version != row.version) {
      continue;
    }
    (applied.step == store::Step::kReport ? out->mutable_reported_for()
                                          : out->mutable_enforced_for())
        ->Add(std::string(applied.selector));
  }
}

void AddChange(const rollout::Change& change, v1::PolicyDifference* out) {
  if (out->changes_size() == kMaxTold) return;
  v1::OutcomeChange* const one = out->add_changes();
  one->set_host_id(change.host_id);
  one->set_hostname(change.hostname);
  one->set_before(change.from);
  one->set_after(change.to);
  for (const std::string& code : change.codes) one->add_codes(code);
  one->set_why(change.why);
}

void Encode(const rollout::Difference& difference, v1::PolicyDifference* out) {
  out->set_hosts(difference.hosts);
  out->set_same(difference.same);
  out->set_to_deny(static_cast<int64_t>(difference.to_deny.size()));
  out->set_to_admit(static_cast<int64_t>(difference.to_admit.size()));
  out->set_without_comparison(static_cast<int64_t>(difference.not_compared.size()));
  for (const rollout::Change& change : difference.to_deny) AddChange(change, out);
  for (const rollout::Change& change : difference.to_admit) AddChange(change, out);
  for (const rollout::NotCompared& row : difference.not_compared) {
    if (out->not_compared_size() == kMaxTold) break;
    v1::NotCompared* const one = out->add_not_compared();
    one->set_host_id(row.host_id);
    one->set_why(row.why);
  }
}

absl::Status ListPolicies(const Call& call, const v1::ListPoliciesRequest& request,
                          v1::ListPoliciesResponse* answer) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::VersionRow> rows,
                      call.backend.store.ListVersions(kPolicyKind, request.name()));
  BG_ASSIGN_OR_RETURN(const std::vector<AssignmentRow> standing,
                      call.backend.store.ListAssignments(kPolicyKind));
  BG_ASSIGN_OR_RETURN(const Slice slice, SliceOf(call, request, rows.size(), [&](size_t i) {
                        return absl::StrCat(rows[i].name, ".", rows[i].version);
                      }));
  for (size_t i = slice.begin; i < slice.end; ++i)
    Encode(rows[i], standing, answer->add_policies());
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

absl::Status CheckVersion(int64_t version) {
  return version >= 0
             ? absl::OkStatus()
             : Malformed(Reason::kMessageMalformed, "version: 1 or more, 0 for the newest");
}

absl::Status GetPolicy(const Call& call, const v1::GetPolicyRequest& request,
                       v1::GetPolicyResponse* answer) {
  BG_RETURN_IF_ERROR(CheckVersion(request.version()));
  BG_ASSIGN_OR_RETURN(
      const rollout::PolicyVersion found,
      rollout::FindPolicyVersion(call.backend.store, request.name(), request.version()));
  BG_ASSIGN_OR_RETURN(const std::vector<AssignmentRow> standing,
                      call.backend.store.ListAssignments(kPolicyKind));
  Encode(found.row, standing, answer->mutable_policy());
  answer->set_text(std::string(found.policy.text()));
  answer->set_upload(found.row.upload);
  return absl::OkStatus();
}

absl::Status PushPolicy(const Call& call, const v1::PushPolicyRequest& request,
                        v1::PushPolicyResponse* answer) {
  const rollout::Force force{.given = request.force(), .reason = request.reason()};
  BG_ASSIGN_OR_RETURN(rollout::PolicyVersion version,
                      rollout::ReadPolicyVersion(call.backend.store, ByOf(call), request.name(),
                                                 request.name(), request.document(), force));
  answer->set_changed(!version.stored);
  BG_RETURN_IF_ERROR(rollout::PutPolicyVersion(call.backend.store, ByOf(call), force, &version));
  Encode(version.row, {}, answer->mutable_policy());
  return absl::OkStatus();
}

absl::Status ActivatePolicy(const Call& call, const v1::ActivatePolicyRequest& request,
                            v1::ActivatePolicyResponse* answer) {
  BG_RETURN_IF_ERROR(CheckVersion(request.version()));
  rollout::ActivateOptions options;
  options.selector = request.selector();
  options.mode = request.mode() == v1::ROLLOUT_MODE_REPORT ? rollout::PolicyMode::kReport
                                                           : rollout::PolicyMode::kEnforce;
  options.force = {.given = request.force(), .reason = request.reason()};
  options.quoted_mask = call.backend.quoted_mask;
  if (request.has_after_step()) options.after_step = request.after_step();
  options.dry_run = request.dry_run();
  BG_ASSIGN_OR_RETURN(
      rollout::PolicyVersion version,
      rollout::FindPolicyVersion(call.backend.store, request.name(), request.version()));
  BG_ASSIGN_OR_RETURN(
      const rollout::StepTaken step,
      rollout::Activate(call.backend.store, ByOf(call), std::move(version), options));
  Encode(step.row, answer->mutable_assignment());
  Encode(step.difference, answer->mutable_difference());
  answer->set_changed(step.changed);
  return absl::OkStatus();
}

absl::Status RollBackPolicy(const Call& call, const v1::RollBackPolicyRequest& request,
                            v1::RollBackPolicyResponse* answer) {
  rollout::RollBackOptions options;
  options.selector = request.selector();
  options.reason = request.reason();
  options.quoted_mask = call.backend.quoted_mask;
  if (request.has_after_step()) options.after_step = request.after_step();
  BG_ASSIGN_OR_RETURN(const rollout::StepTaken step,
                      rollout::RollBack(call.backend.store, ByOf(call), options));
  Encode(step.row, answer->mutable_assignment());
  return absl::OkStatus();
}

// Of what stands there is one of each kind for a selector; steps have a number.
std::string MarkOf(const AssignmentRow& row, bool is_history) {
  if (is_history) return absl::StrCat(row.sequence);
  return absl::StrCat(row.step == store::Step::kReport ? "report " : "", row.selector);
}

absl::Status ListPolicyAssignments(const Call& call,
                                   const v1::ListPolicyAssignmentsRequest& request,
                                   v1::ListPolicyAssignmentsResponse* answer) {
  BG_ASSIGN_OR_RETURN(const std::vector<AssignmentRow> rows,
                      request.history() ? call.backend.store.ListSteps(kPolicyKind)
                                        : call.backend.store.ListAssignments(kPolicyKind));
  BG_ASSIGN_OR_RETURN(const Slice slice, SliceOf(call, request, rows.size(), [&](size_t i) {
                        return MarkOf(rows[i], request.history());
                      }));
  for (size_t i = slice.begin; i < slice.end; ++i) Encode(rows[i], answer->add_assignments());
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

// ---- References --------------------------------------------------------------------------------

void Encode(const store::DocumentRow& row, const std::vector<AssignmentRow>& standing,
            v1::Reference* out) {
  out->set_id(row.id);
  out->set_name(row.name);
  out->set_author(row.author);
  operators::Encode(row.created_at, out->mutable_created_at());
  for (const AssignmentRow& applied : standing)
    if (applied.document_id == row.id) out->add_assigned_for(applied.selector);
}

absl::Status ListReferences(const Call& call, const v1::ListReferencesRequest& request,
                            v1::ListReferencesResponse* answer) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::DocumentRow> rows,
                      call.backend.store.ListDocuments(kReferenceKind));
  BG_ASSIGN_OR_RETURN(const std::vector<AssignmentRow> standing,
                      call.backend.store.ListAssignments(kReferenceKind));
  BG_ASSIGN_OR_RETURN(const Slice slice,
                      SliceOf(call, request, rows.size(), [&](size_t i) { return rows[i].id; }));
  for (size_t i = slice.begin; i < slice.end; ++i)
    Encode(rows[i], standing, answer->add_references());
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

absl::StatusOr<store::DocumentRow> FindReference(const Call& call, const std::string& id) {
  BG_RETURN_IF_ERROR(fleet::CheckId("reference_id", id));
  absl::StatusOr<store::DocumentRow> row = call.backend.store.GetDocument(kReferenceKind, id);
  if (!absl::IsNotFound(row.status())) return row;
  return absl::NotFoundError(absl::StrCat("there is no reference ", id));
}

absl::Status GetReference(const Call& call, const v1::GetReferenceRequest& request,
                          v1::GetReferenceResponse* answer) {
  BG_ASSIGN_OR_RETURN(const store::DocumentRow row, FindReference(call, request.reference_id()));
  BG_ASSIGN_OR_RETURN(const std::vector<AssignmentRow> standing,
                      call.backend.store.ListAssignments(kReferenceKind));
  Encode(row, standing, answer->mutable_reference());
  answer->set_text(row.text);
  return absl::OkStatus();
}

absl::Status PutReference(const Call& call, const v1::PutReferenceRequest& request,
                          v1::PutReferenceResponse* answer) {
  if (request.text().size() > rollout::kMaxReferenceBytes)
    return Malformed(Reason::kMessageTooLarge, "text: at most 16 MiB");
  const absl::StatusOr<reference::Reference> read = reference::FromJson(request.text());
  if (!read.ok())
    return WithReason(absl::InvalidArgumentError(read.status().message()), Reason::kReferenceParse);
  store::DocumentRow row;
  row.kind = kReferenceKind;
  row.id = read->id;
  row.name = request.name().empty() ? read->name : request.name();
  BG_RETURN_IF_ERROR(fleet::CheckText("name", row.name));
  row.text = request.text();
  row.author = call.caller.actor;
  row.created_at = call.backend.clock.Now();
  const absl::StatusOr<store::DocumentRow> known =
      call.backend.store.GetDocument(kReferenceKind, row.id);
  answer->set_changed(!known.ok());
  if (!known.ok()) {
    const audit::Detail detail = audit::Detail()
                                     .Text("name", row.name)
                                     .Number("bytes", static_cast<int64_t>(row.text.size()));
    BG_RETURN_IF_ERROR(call.backend.store.PutDocument(
        row, audit::MakeRow(row.created_at, row.author, "reference.store", row.id, detail)));
  }
  Encode(known.ok() ? *known : row, {}, answer->mutable_reference());
  return absl::OkStatus();
}

// What stands for exactly this selector; empty: nothing does.
std::string StandingFor(const std::vector<AssignmentRow>& rows, const std::string& selector) {
  for (const AssignmentRow& row : rows)
    if (row.selector == selector) return row.document_id;
  return "";
}

absl::Status AssignReference(const Call& call, const v1::AssignReferenceRequest& request,
                             v1::AssignReferenceResponse* answer) {
  store::Store& store = call.backend.store;
  if (!request.reference_id().empty())
    BG_RETURN_IF_ERROR(FindReference(call, request.reference_id()).status());
  AssignmentRow row;
  row.kind = kReferenceKind;
  BG_ASSIGN_OR_RETURN(row.selector, rollout::ReadSelector(request.selector()));
  row.document_id = request.reference_id();
  row.step = row.document_id.empty() ? store::Step::kEnd : store::Step::kEnforce;
  row.author = call.caller.actor;
  row.at = call.backend.clock.Now();
  row.why = request.reason();
  BG_ASSIGN_OR_RETURN(const std::vector<AssignmentRow> standing,
                      store.ListAssignments(kReferenceKind));
  answer->set_changed(StandingFor(standing, row.selector) != row.document_id);
  Encode(row, answer->mutable_assignment());
  if (!answer->changed()) return absl::OkStatus();
  std::optional<int64_t> after;
  if (request.has_after_step()) after = request.after_step();
  const absl::Status taken = store.Assign(
      row,
      audit::MakeRow(row.at, row.author, "reference.activate", row.document_id,
                     audit::Detail().Text("selector", row.selector).Text("why", row.why)),
      after);
  return absl::IsAborted(taken) ? WithReason(taken, Reason::kRevisionStale) : taken;
}

constexpr Method kMethods[] = {
    {"bootgate.v1.PolicyService.ListPolicies", Unary<&ListPolicies>, nullptr},
    {"bootgate.v1.PolicyService.GetPolicy", Unary<&GetPolicy>, nullptr},
    {"bootgate.v1.PolicyService.PushPolicy", Unary<&PushPolicy>, nullptr},
    {"bootgate.v1.PolicyService.ActivatePolicy", Unary<&ActivatePolicy>, nullptr},
    {"bootgate.v1.PolicyService.RollBackPolicy", Unary<&RollBackPolicy>, nullptr},
    {"bootgate.v1.PolicyService.ListPolicyAssignments", Unary<&ListPolicyAssignments>, nullptr},
    {"bootgate.v1.ReferenceService.ListReferences", Unary<&ListReferences>, nullptr},
    {"bootgate.v1.ReferenceService.GetReference", Unary<&GetReference>, nullptr},
    {"bootgate.v1.ReferenceService.PutReference", Unary<&PutReference>, nullptr},
    {"bootgate.v1.ReferenceService.AssignReference", Unary<&AssignReference>, nullptr},
};

}  // namespace

std::span<const Method> PolicyMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators
