#include "gatekeeper/cli/documents.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/reference/reference.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/selector.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxReferenceBytes = size_t{16} << 20;

// Stores and assigns; the two are idempotent, so a crash between them is mended by running again.
absl::Status StoreAndAssign(const Operator& op, const store::DocumentRow& document,
                            const std::string& selector) {
  const audit::Detail stored = audit::Detail()
                                   .Text("name", document.name)
                                   .Number("bytes", static_cast<int64_t>(document.text.size()));
  absl::Status put =
      op.store.PutDocument(document, AuditOf(op, document.kind + ".store", document.id, stored));
  if (!put.ok() && !absl::IsAlreadyExists(put)) return put;
  store::AssignmentRow assignment;
  assignment.kind = document.kind;
  assignment.selector = selector;
  assignment.document_id = document.id;
  assignment.author = op.actor;
  assignment.at = op.clock.Now();
  const audit::Detail assigned =
      audit::Detail().Text("selector", selector).Text("name", document.name);
  return op.store.Assign(assignment,
                         AuditOf(op, document.kind + ".activate", document.id, assigned));
}

store::DocumentRow DocumentOf(const Operator& op, const char* kind, const std::string& id,
                              const std::string& name, const std::string& text) {
  store::DocumentRow document;
  document.kind = kind;
  document.id = id;
  document.name = name;
  document.text = text;
  document.author = op.actor;
  document.created_at = op.clock.Now();
  return document;
}

ExitCode Report(const Operator& op, const absl::Status& status, const store::DocumentRow& document,
                const std::string& selector) {
  if (!status.ok()) return Fail(op.err, status);
  if (op.format == OutputFormat::kJson) {
    op.out << ordered_json{{"kind", document.kind},
                           {"id", document.id},
                           {"name", document.name},
                           {"selector", selector}}
                  .dump(2)
           << "\n";
  } else {
    op.out << document.kind << " " << document.name << " (" << document.id.substr(0, 12)
           << ") is active for " << rollout::ForWhom(selector) << "\n";
  }
  return ExitCode::kSuccess;
}

ExitCode ListDocuments(const Operator& op, const char* kind) {
  const absl::StatusOr<std::vector<store::DocumentRow>> documents = op.store.ListDocuments(kind);
  if (!documents.ok()) return Fail(op.err, documents.status());
  const absl::StatusOr<std::vector<store::AssignmentRow>> assignments =
      op.store.ListAssignments(kind);
  if (!assignments.ok()) return Fail(op.err, assignments.status());
  std::map<std::string, std::vector<std::string>> selectors;  // document id -> selectors
  for (const store::AssignmentRow& row : *assignments) {
    selectors[row.document_id].push_back(row.selector.empty() ? "default" : row.selector);
  }
  ordered_json json = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const store::DocumentRow& row : *documents) {
    const std::vector<std::string>& active = selectors[row.id];
    json.push_back({{"id", row.id},
                    {"name", row.name},
                    {"author", row.author},
                    {"created_at", FormatUtc(row.created_at)},
                    {"active_for", active}});
    rows.push_back({row.id.substr(0, 12), row.name, FormatUtc(row.created_at), row.author,
                    active.empty() ? "-" : absl::StrJoin(active, " ")});
  }
  if (op.format == OutputFormat::kJson) {
    op.out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    op.out << FormatTable({"ID", "NAME", "CREATED", "BY", "ACTIVE FOR"}, rows);
  }
  return ExitCode::kSuccess;
}

std::string BaseName(const std::string& file) {
  return std::filesystem::path(file).filename().string();
}

}  // namespace

ExitCode ReferenceImport(const Operator& op, const std::string& file,
                         const std::string& selector_text) {
  const absl::StatusOr<std::string> selector = rollout::ReadSelector(selector_text);
  if (!selector.ok()) return Fail(op.err, selector.status());
  const absl::StatusOr<std::string> text = ReadTextFile(file, kMaxReferenceBytes);
  if (!text.ok()) return Fail(op.err, text.status());
  const absl::StatusOr<reference::Reference> reference = reference::FromJson(*text);
  if (!reference.ok()) {
    return Fail(op.err,
                absl::InvalidArgumentError(absl::StrCat(file, ": ", reference.status().message())));
  }
  const std::string name = reference->name.empty() ? BaseName(file) : reference->name;
  const store::DocumentRow document =
      DocumentOf(op, rollout::kReferenceKind, reference->id, name, *text);
  return Report(op, StoreAndAssign(op, document, *selector), document, *selector);
}

ExitCode ReferenceList(const Operator& op) { return ListDocuments(op, rollout::kReferenceKind); }

}  // namespace bootgate::gatekeeper::cli
