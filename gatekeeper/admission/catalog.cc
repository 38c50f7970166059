#include "gatekeeper/admission/catalog.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/rollout/upload.h"
#include "gatekeeper/rollout/versions.h"

namespace bootgate::gatekeeper::admission {
namespace {

// Compiled documents that nothing is assigned to any more are dropped when there are this many.
constexpr size_t kKeptDocuments = 64;

absl::StatusOr<rollout::Assignments> Standing(store::Store& store, const char* kind) {
  BG_ASSIGN_OR_RETURN(std::vector<store::AssignmentRow> rows, store.ListAssignments(kind));
  return rollout::Assignments(std::move(rows));
}

}  // namespace

absl::Status Catalog::Refresh() {
  BG_ASSIGN_OR_RETURN(const int64_t change, store_.ChangeCounter());
  if (change == snapshot_.change) return absl::OkStatus();
  Snapshot fresh{.change = change};
  BG_ASSIGN_OR_RETURN(fresh.policies, Standing(store_, rollout::kPolicyKind));
  BG_ASSIGN_OR_RETURN(fresh.references, Standing(store_, rollout::kReferenceKind));
  snapshot_ = std::move(fresh);
  if (compiled_policies_.size() > kKeptDocuments) compiled_policies_.clear();
  if (parsed_references_.size() > kKeptDocuments) parsed_references_.clear();
  if (signers_.size() > kKeptDocuments) signers_.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const policy::Policy>> Catalog::PolicyOf(const std::string& id) {
  const auto found = compiled_policies_.find(id);
  if (found != compiled_policies_.end()) return found->second;
  BG_ASSIGN_OR_RETURN(const store::DocumentRow row, store_.GetDocument(rollout::kPolicyKind, id));
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
  BG_ASSIGN_OR_RETURN(const store::DocumentRow row,
                      store_.GetDocument(rollout::kReferenceKind, id));
  absl::StatusOr<reference::Reference> parsed = reference::FromJson(row.text);
  if (!parsed.ok()) {
    return Refuse(absl::StatusCode::kInternal, Reason::kReferenceParse,
                  absl::StrCat("stored reference ", id, ": ", parsed.status().message()));
  }
  return parsed_references_[id] = std::make_shared<const reference::Reference>(*std::move(parsed));
}

std::shared_ptr<const policy::Policy> Catalog::Candidate(const std::string& id) {
  absl::StatusOr<std::shared_ptr<const policy::Policy>> policy = PolicyOf(id);
  if (policy.ok()) return *std::move(policy);
  Log(LogLevel::kWarning, "the policy to report on cannot be used",
      {{"policy", id}, {"why", std::string(policy.status().message())}});
  return nullptr;
}

absl::StatusOr<std::string> Catalog::SignerOf(const store::AssignmentRow& row) {
  if (row.name.empty()) return std::string();
  const std::string version = rollout::VersionText(row.name, row.version);
  const auto found = signers_.find(version);
  if (found != signers_.end()) return found->second;
  BG_ASSIGN_OR_RETURN(const std::vector<store::VersionRow> versions,
                      store_.ListVersions(rollout::kPolicyKind, row.name));
  BG_ASSIGN_OR_RETURN(const store::VersionRow stored,
                      rollout::FindVersion(versions, {.name = row.name, .version = row.version}));
  return signers_[version] = rollout::PolicySignerJson(stored.upload);
}

absl::StatusOr<Rules> Catalog::RulesFor(const std::map<std::string, std::string>& labels) {
  const std::lock_guard lock(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  Rules rules;
  const rollout::Applied policies = snapshot_.policies.For(labels);
  if (policies.enforced != nullptr) {
    BG_ASSIGN_OR_RETURN(rules.policy, PolicyOf(policies.enforced->document_id));
    BG_ASSIGN_OR_RETURN(rules.policy_signer_json, SignerOf(*policies.enforced));
  }
  if (policies.candidate != nullptr) rules.candidate = Candidate(policies.candidate->document_id);
  const rollout::Applied references = snapshot_.references.For(labels);
  if (references.enforced != nullptr) {
    BG_ASSIGN_OR_RETURN(rules.reference, ReferenceOf(references.enforced->document_id));
    rules.sets = sets_.Find(rules.reference->ima.rules.sets);
  }
  return rules;
}

}  // namespace bootgate::gatekeeper::admission
