#include "gatekeeper/admission/catalog.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::admission {
namespace {

// Compiled documents that nothing is assigned to any more are dropped when there are this many.
constexpr size_t kKeptDocuments = 64;

absl::StatusOr<std::map<std::string, std::string>> Assignments(store::Store& store,
                                                               const char* kind) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> rows, store.ListAssignments(kind));
  std::map<std::string, std::string> out;
  for (const store::AssignmentRow& row : rows) out[row.selector] = row.document_id;
  return out;
}

}  // namespace

std::string Assigned(const std::map<std::string, std::string>& assignments,
                     const std::map<std::string, std::string>& labels) {
  for (const auto& [selector, id] : assignments) {
    const size_t equals = selector.find('=');
    if (equals == std::string::npos) continue;
    const auto label = labels.find(selector.substr(0, equals));
    if (label != labels.end() && label->second == selector.substr(equals + 1)) return id;
  }
  const auto fallback = assignments.find("");
  return fallback == assignments.end() ? "" : fallback->second;
}

absl::Status Catalog::Refresh() {
  BG_ASSIGN_OR_RETURN(const int64_t change, store_.ChangeCounter());
  if (change == snapshot_.change) return absl::OkStatus();
  Snapshot fresh{.change = change};
  BG_ASSIGN_OR_RETURN(fresh.policies, Assignments(store_, kPolicyKind));
  BG_ASSIGN_OR_RETURN(fresh.references, Assignments(store_, kReferenceKind));
  snapshot_ = std::move(fresh);
  if (compiled_policies_.size() > kKeptDocuments) compiled_policies_.clear();
  if (parsed_references_.size() > kKeptDocuments) parsed_references_.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const policy::Policy>> Catalog::PolicyOf(const std::string& id) {
  const auto found = compiled_policies_.find(id);
  if (found != compiled_policies_.end()) return found->second;
  BG_ASSIGN_OR_RETURN(const store::DocumentRow row, store_.GetDocument(kPolicyKind, id));
  policy::ParseError error;
  std::optional<policy::Policy> policy = policy::Policy::Read(row.text, &error);
  if (!policy.has_value()) {
    return Refuse(absl::StatusCode::kInternal, Reason::kPolicyParse,
                  absl::StrCat("stored policy ", id, " line ", error.line, ": ", error.message));
  }
  return compiled_policies_[id] = std::make_shared<const policy::Policy>(*std::move(policy));
}

absl::StatusOr<std::shared_ptr<const reference::Reference>> Catalog::ReferenceOf(
    const std::string& id) {
  const auto found = parsed_references_.find(id);
  if (found != parsed_references_.end()) return found->second;
  BG_ASSIGN_OR_RETURN(const store::DocumentRow row, store_.GetDocument(kReferenceKind, id));
  absl::StatusOr<reference::Reference> parsed = reference::FromJson(row.text);
  if (!parsed.ok()) {
    return Refuse(absl::StatusCode::kInternal, Reason::kReferenceParse,
                  absl::StrCat("stored reference ", id, ": ", parsed.status().message()));
  }
  return parsed_references_[id] = std::make_shared<const reference::Reference>(*std::move(parsed));
}

absl::StatusOr<Rules> Catalog::RulesFor(const std::map<std::string, std::string>& labels) {
  const std::lock_guard lock(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  Rules rules;
  const std::string policy_id = Assigned(snapshot_.policies, labels);
  if (!policy_id.empty()) {
    BG_ASSIGN_OR_RETURN(rules.policy, PolicyOf(policy_id));
  }
  const std::string reference_id = Assigned(snapshot_.references, labels);
  if (!reference_id.empty()) {
    BG_ASSIGN_OR_RETURN(rules.reference, ReferenceOf(reference_id));
    rules.sets = sets_.Find(rules.reference->ima.rules.sets);
  }
  return rules;
}

}  // namespace bootgate::gatekeeper::admission
