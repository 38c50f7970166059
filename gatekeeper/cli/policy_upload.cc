#include "gatekeeper/cli/policy_upload.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/policy/format_error.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/signers.h"
#include "gatekeeper/rollout/upload.h"
#include "gatekeeper/rollout/versions.h"
#include "gatekeeper/token/claims.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxReason = 1024;  // bytes
constexpr size_t kShownDigits = 12;

absl::StatusOr<std::vector<Bytes>> Roots(const Operator& op) {
  BG_ASSIGN_OR_RETURN(const std::vector<rollout::SignerCertificate> signers,
                      rollout::ConfiguredSigners(op.store));
  return rollout::RootsOf(signers);
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

void PrintWarnings(const Operator& op, const std::string& file, const policy::Policy& policy) {
  if (op.format == OutputFormat::kJson) return;
  for (const policy::Warning& warning : policy.warnings())
    op.out << policy::FormatWarning(file, policy.text(), warning);
}

void PrintPushed(const Operator& op, const PolicyVersion& version, bool is_new) {
  const std::string name = rollout::VersionText(version.row.name, version.row.version);
  if (op.format == OutputFormat::kJson) {
    op.out << ordered_json{{"name", version.row.name},
                           {"version", version.row.version},
                           {"id", version.row.document_id},
                           {"hash", token::PolicyHash(version.policy.text())},
                           {"signer", version.row.signer},
                           {"new", is_new}}
                  .dump(2)
           << "\n";
    return;
  }
  op.out << "policy " << name << " (" << version.row.document_id.substr(0, kShownDigits) << ") "
         << (is_new ? "is stored; it applies to nobody before `policy activate`\n"
                    : "is stored already: no new version\n");
}

}  // namespace

absl::Status CheckForce(const Force& force) {
  if (force.given && force.reason.empty())
    return absl::InvalidArgumentError("--force needs --reason TEXT: it is kept in the audit trail");
  if (force.reason.size() > kMaxReason) {
    return absl::InvalidArgumentError(
        absl::StrCat("--reason is longer than ", kMaxReason, " bytes"));
  }
  return absl::OkStatus();
}

absl::StatusOr<PolicyVersion> ReadPolicyVersion(const Operator& op, const std::string& file,
                                                const std::string& name, const Force& force) {
  const std::string named = name.empty() ? rollout::NameOfFile(file) : name;
  if (!rollout::IsPolicyName(named)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(named, 128),
                     "' is no name of a policy: letters, digits, - and "
                     "_, at most ",
                     rollout::kMaxPolicyName));
  }
  BG_ASSIGN_OR_RETURN(const std::string bytes, ReadTextFile(file, rollout::kMaxUploadBytes));
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> roots, Roots(op));
  BG_ASSIGN_OR_RETURN(rollout::Upload upload,
                      rollout::ReadUpload(file, bytes, roots, op.clock.Now()));
  BG_ASSIGN_OR_RETURN(const std::vector<store::VersionRow> versions,
                      op.store.ListVersions(rollout::kPolicyKind, named));
  BG_ASSIGN_OR_RETURN(
      const rollout::NextVersion next,
      rollout::VersionFor(versions, named, upload.policy.id(), upload.signer, force.given));
  PrintWarnings(op, file, upload.policy);
  if (next.same.has_value())
    return PolicyVersion{.row = *next.same, .policy = std::move(upload.policy), .stored = true};
  store::VersionRow row;
  row.kind = rollout::kPolicyKind;
  row.name = named;
  row.version = next.number;
  row.document_id = upload.policy.id();
  row.author = op.actor;
  row.at = op.clock.Now();
  row.upload = std::move(upload.jws);
  row.signer = std::move(upload.signer);
  return PolicyVersion{.row = row, .policy = std::move(upload.policy), .stored = false};
}

absl::StatusOr<PolicyVersion> FindPolicyVersion(const Operator& op, const std::string& ref) {
  BG_ASSIGN_OR_RETURN(const rollout::VersionRef wanted, rollout::ReadVersionRef(ref));
  BG_ASSIGN_OR_RETURN(const std::vector<store::VersionRow> versions,
                      op.store.ListVersions(rollout::kPolicyKind, wanted.name));
  BG_ASSIGN_OR_RETURN(store::VersionRow row, rollout::FindVersion(versions, wanted));
  BG_ASSIGN_OR_RETURN(const store::DocumentRow document,
                      op.store.GetDocument(rollout::kPolicyKind, row.document_id));
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> roots, Roots(op));
  // As of when it was taken: that a certificate ran out since does not make the policy worse.
  BG_ASSIGN_OR_RETURN(
      rollout::Upload upload,
      rollout::ReadUpload(rollout::VersionText(row.name, row.version),
                          row.upload.empty() ? document.text : row.upload, roots, row.at));
  return PolicyVersion{.row = std::move(row), .policy = std::move(upload.policy), .stored = true};
}

absl::Status PutPolicyVersion(const Operator& op, const Force& force, PolicyVersion* version) {
  if (version->stored) return absl::OkStatus();
  const store::VersionRow& row = version->row;
  audit::Detail detail = audit::Detail()
                             .Text("name", row.name)
                             .Number("version", row.version)
                             .Text("signer", row.signer);
  if (force.given) detail.Text("forced", force.reason);
  BG_RETURN_IF_ERROR(op.store.PutVersion(DocumentOf(*version), row,
                                         AuditOf(op, "policy.push", row.document_id, detail)));
  version->stored = true;
  return absl::OkStatus();
}

ExitCode PolicyPush(const Operator& op, const PolicyPushOptions& options) {
  const absl::Status fine = CheckForce(options.force);
  if (!fine.ok()) return Fail(op.err, fine);
  absl::StatusOr<PolicyVersion> version =
      ReadPolicyVersion(op, options.file, options.name, options.force);
  if (!version.ok()) return Fail(op.err, version.status());
  const bool is_new = !version->stored;
  const absl::Status put = PutPolicyVersion(op, options.force, &*version);
  if (!put.ok()) return Fail(op.err, put);
  PrintPushed(op, *version, is_new);
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
