#include "gatekeeper/cli/policy_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/versions.h"
#include "gatekeeper/token/claims.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kShownDigits = 12;
constexpr size_t kMaxLine = size_t{64} << 10;  // bytes of one line of a policy
constexpr size_t kShownSteps = 20;             // of the history, in a table

struct Shelf {
  std::vector<store::VersionRow> versions;
  std::vector<store::AssignmentRow> standing, steps;
};

// A document that was assigned before there were versions, as one.
absl::StatusOr<store::VersionRow> WithoutVersion(const Operator& op,
                                                 const store::AssignmentRow& row) {
  BG_ASSIGN_OR_RETURN(const store::DocumentRow document,
                      op.store.GetDocument(rollout::kPolicyKind, row.document_id));
  store::VersionRow version;
  version.kind = document.kind;
  version.name = document.name;
  version.document_id = document.id;
  version.author = document.author;
  version.at = document.created_at;
  return version;
}

absl::StatusOr<Shelf> ReadShelf(const Operator& op) {
  Shelf shelf;
  BG_ASSIGN_OR_RETURN(shelf.versions, op.store.ListVersions(rollout::kPolicyKind, ""));
  BG_ASSIGN_OR_RETURN(shelf.standing, op.store.ListAssignments(rollout::kPolicyKind));
  BG_ASSIGN_OR_RETURN(shelf.steps, op.store.ListSteps(rollout::kPolicyKind));
  for (const store::AssignmentRow& row : shelf.standing) {
    const bool known = std::ranges::any_of(shelf.versions, [&](const store::VersionRow& version) {
      return version.document_id == row.document_id && (version.version == row.version);
    });
    if (known || !row.name.empty()) continue;
    BG_ASSIGN_OR_RETURN(store::VersionRow version, WithoutVersion(op, row));
    shelf.versions.push_back(std::move(version));
  }
  return shelf;
}

bool Is(const store::AssignmentRow& row, const store::VersionRow& version) {
  return row.document_id == version.document_id && row.version == version.version &&
         (row.name == version.name || row.name.empty());
}

std::vector<std::string> SelectorsOf(const Shelf& shelf, const store::VersionRow& version,
                                     bool report) {
  std::vector<std::string> out;
  for (const store::AssignmentRow& row : shelf.standing) {
    if ((row.step == store::Step::kReport) == report && Is(row, version))
      out.push_back(row.selector.empty() ? "default" : row.selector);
  }
  return out;
}

std::string Text(const std::vector<std::string>& selectors) {
  return OrDash(absl::StrJoin(selectors, " "));
}

std::string NumberText(int64_t version) { return version == 0 ? "-" : absl::StrCat(version); }

absl::StatusOr<ordered_json> ToJson(const Operator& op, const Shelf& shelf) {
  ordered_json out = {{"policies", ordered_json::array()}, {"history", ordered_json::array()}};
  for (const store::VersionRow& row : shelf.versions) {
    BG_ASSIGN_OR_RETURN(const store::DocumentRow document,
                        op.store.GetDocument(rollout::kPolicyKind, row.document_id));
    out["policies"].push_back({{"name", row.name},
                               {"version", row.version},
                               {"id", row.document_id},
                               {"hash", token::PolicyHash(document.text)},
                               {"author", row.author},
                               {"at", FormatUtc(row.at)},
                               {"signer", row.signer},
                               {"active_for", SelectorsOf(shelf, row, false)},
                               {"report_only_for", SelectorsOf(shelf, row, true)}});
  }
  for (const store::AssignmentRow& row : shelf.steps) {
    out["history"].push_back({{"at", FormatUtc(row.at)},
                              {"author", row.author},
                              {"step", std::string(Name(row.step))},
                              {"selector", row.selector},
                              {"name", row.name},
                              {"version", row.version},
                              {"id", row.document_id},
                              {"why", row.why}});
  }
  return out;
}

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void PrintTables(const Operator& op, const Shelf& shelf) {
  std::vector<std::vector<std::string>> rows;
  for (const store::VersionRow& row : shelf.versions) {
    rows.push_back({row.name, NumberText(row.version), row.document_id.substr(0, kShownDigits),
                    FormatUtc(row.at), row.author, OrDash(row.signer.substr(0, kShownDigits)),
                    Text(SelectorsOf(shelf, row, false)), Text(SelectorsOf(shelf, row, true))});
  }
  op.out << FormatTable(
      {"NAME", "VERSION", "ID", "STORED", "BY", "SIGNER", "ACTIVE FOR", "REPORT ONLY FOR"}, rows);
  if (shelf.steps.empty()) return;
  rows.clear();
  const size_t first = shelf.steps.size() > kShownSteps ? shelf.steps.size() - kShownSteps : 0;
  for (size_t i = shelf.steps.size(); i-- > first;) {
    const store::AssignmentRow& row = shelf.steps[i];
    rows.push_back({FormatUtc(row.at), row.author, std::string(Name(row.step)),
                    row.selector.empty() ? "default" : row.selector,
                    row.name.empty() ? OrDash(row.document_id.substr(0, kShownDigits))
                                     : rollout::VersionText(row.name, row.version),
                    OrDash(row.why)});
  }
  op.out << "\n" << FormatTable({"WHEN", "WHO", "STEP", "FOR", "POLICY", "WHY"}, rows);
}

}  // namespace

ExitCode PolicyList(const Operator& op) {
  const absl::StatusOr<Shelf> shelf = ReadShelf(op);
  if (!shelf.ok()) return Fail(op.err, shelf.status());
  if (op.format == OutputFormat::kTable) {
    PrintTables(op, *shelf);
    return ExitCode::kSuccess;
  }
  const absl::StatusOr<ordered_json> json = ToJson(op, *shelf);
  if (!json.ok()) return Fail(op.err, json.status());
  op.out << Dump(*json);
  return ExitCode::kSuccess;
}

ExitCode PolicyShow(const Operator& op, const std::string& ref_text) {
  const absl::StatusOr<rollout::VersionRef> ref = rollout::ReadVersionRef(ref_text);
  if (!ref.ok()) return Fail(op.err, ref.status());
  const absl::StatusOr<Shelf> shelf = ReadShelf(op);
  if (!shelf.ok()) return Fail(op.err, shelf.status());
  const absl::StatusOr<store::VersionRow> row = rollout::FindVersion(shelf->versions, *ref);
  if (!row.ok()) return Fail(op.err, row.status());
  const absl::StatusOr<store::DocumentRow> document =
      op.store.GetDocument(rollout::kPolicyKind, row->document_id);
  if (!document.ok()) return Fail(op.err, document.status());
  const std::vector<std::string> active = SelectorsOf(*shelf, *row, false);
  const std::vector<std::string> reported = SelectorsOf(*shelf, *row, true);
  const std::string hash = token::PolicyHash(document->text);
  if (op.format == OutputFormat::kJson) {
    op.out << Dump({{"name", row->name},
                    {"version", row->version},
                    {"id", row->document_id},
                    {"hash", hash},
                    {"author", row->author},
                    {"at", FormatUtc(row->at)},
                    {"signer", row->signer},
                    {"upload", row->upload},
                    {"active_for", active},
                    {"report_only_for", reported},
                    {"text", document->text}});
    return ExitCode::kSuccess;
  }
  op.out << FormatPairs({{"policy", rollout::VersionText(row->name, row->version)},
                         {"id", row->document_id},
                         {"x-ms-policy-hash", hash},
                         {"stored", FormatUtc(row->at)},
                         {"by", row->author},
                         {"signer", OrDash(row->signer)},
                         {"active for", Text(active)},
                         {"report only for", Text(reported)}})
         << "\n";
  for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(document->text, "\n"), '\n'))
    op.out << Printable(line, kMaxLine) << "\n";
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
