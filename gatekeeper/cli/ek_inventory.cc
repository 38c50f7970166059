#include "gatekeeper/cli/ek_inventory.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/tpm2/public.h"
#include "gatekeeper/cli/host_approval.h"
#include "gatekeeper/cli/inventory_file.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kPage = 10'000;  // rows read at a time

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::vector<store::InventoryRow>> ReadRows(const Operator& op,
                                                          const EkInventoryImportOptions& options) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(options.file, kMaxInventoryBytes));
  BG_ASSIGN_OR_RETURN(std::vector<store::InventoryRow> rows, ParseInventory(text, options.file));
  if (rows.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(options.file, ": no EK is in this file"));
  }
  for (store::InventoryRow& row : rows) {
    row.labels.insert(options.labels.begin(), options.labels.end());
    row.source = options.file;
    row.author = op.actor;
    row.added_at = op.clock.Now();
  }
  return rows;
}

bool Satisfies(enroll::EkMode mode, const std::string& ek_trust) {
  return mode == enroll::EkMode::kInventory ||
         (mode == enroll::EkMode::kChainAndInventory && enroll::IsCertified(ek_trust));
}

absl::StatusOr<bool> Names(const std::set<std::string>& eks, const host::HostRecord& host) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpmt(host.ek_public));
  BG_ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                      enroll::InventoryKeys(ek, host.ek_certificate));
  return std::any_of(keys.begin(), keys.end(),
                     [&](const std::string& key) { return eks.contains(key); });
}

// Hosts that joined before the list came: what was missing is there now.
absl::StatusOr<int64_t> ApproveWaiting(const Operator& op, enroll::EkMode mode,
                                       const std::vector<store::InventoryRow>& rows) {
  std::set<std::string> eks;
  for (const store::InventoryRow& row : rows) eks.insert(row.ek);
  BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> hosts, op.store.ListHosts(nullptr));
  int64_t approved = 0;
  for (const host::HostRecord& host : hosts) {
    const bool waits = !host.approved && host.trust == host::Trust::kPending;
    if (!waits || !Satisfies(mode, host.ek_trust)) continue;
    BG_ASSIGN_OR_RETURN(const bool named, Names(eks, host));
    if (!named) continue;
    bool changed = false;
    BG_RETURN_IF_ERROR(ApproveHost(op, host.id, "inventory", &changed));
    approved += changed ? 1 : 0;
  }
  return approved;
}

ordered_json ToJson(const store::InventoryRow& row) {
  return {{"ek", row.ek},
          {"labels", row.labels},
          {"source", row.source},
          {"by", row.author},
          {"added_at", FormatUtc(row.added_at)}};
}

// All, or a page.
absl::StatusOr<std::vector<store::InventoryRow>> Read(const Operator& op, std::string after,
                                                      int limit) {
  if (limit > 0) return op.store.ListInventory(after, limit);
  std::vector<store::InventoryRow> all;
  for (;;) {
    BG_ASSIGN_OR_RETURN(std::vector<store::InventoryRow> page,
                        op.store.ListInventory(after, kPage));
    if (page.empty()) return all;
    after = page.back().ek;
    std::move(page.begin(), page.end(), std::back_inserter(all));
  }
}

absl::Status NotAnEk(const std::string& text) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", Printable(text, 80), "' is no EK: a host id (h-...) or 64 hex digits"));
}

}  // namespace

ExitCode EkInventoryImport(const Operator& op, const EkInventoryImportOptions& options) {
  const absl::StatusOr<std::vector<store::InventoryRow>> rows = ReadRows(op, options);
  if (!rows.ok()) {
    const ExitCode code = Fail(op.err, rows.status());
    op.err << "nothing was imported\n";
    return code;
  }
  const audit::Detail detail = audit::Detail()
                                   .Number("entries", static_cast<int64_t>(rows->size()))
                                   .Text("labels", FormatLabels(options.labels));
  const absl::StatusOr<store::InventoryChange> change =
      op.store.PutInventory(*rows, AuditOf(op, "ek-inventory.import", options.file, detail));
  if (!change.ok()) return Fail(op.err, change.status());
  const absl::StatusOr<int64_t> approved = ApproveWaiting(op, options.mode, *rows);
  if (!approved.ok()) return Fail(op.err, approved.status());
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(
        {{"added", change->added}, {"replaced", change->replaced}, {"approved", *approved}});
    return ExitCode::kSuccess;
  }
  op.out << change->added << " added, " << change->replaced << " replaced";
  if (*approved > 0) op.out << "; " << *approved << " waiting hosts are approved";
  op.out << "\n";
  if (options.mode == enroll::EkMode::kChain) {
    op.err << "warning: ek.mode = \"chain\": nobody asks the inventory but for its labels\n";
  }
  return ExitCode::kSuccess;
}

ExitCode EkInventoryList(const Operator& op, const std::string& after, int limit) {
  const absl::StatusOr<std::vector<store::InventoryRow>> rows = Read(op, after, limit);
  if (!rows.ok()) return Fail(op.err, rows.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json json = ordered_json::array();
    for (const store::InventoryRow& row : *rows) json.push_back(ToJson(row));
    op.out << Dump(json);
    return ExitCode::kSuccess;
  }
  std::vector<std::vector<std::string>> table;
  for (const store::InventoryRow& row : *rows) {
    table.push_back({row.ek, OrDash(FormatLabels(row.labels)), row.source, row.author,
                     FormatUtc(row.added_at)});
  }
  op.out << FormatTable({"EK", "LABELS", "SOURCE", "BY", "ADDED"}, table);
  return ExitCode::kSuccess;
}

ExitCode EkInventoryShow(const Operator& op, const std::string& ek) {
  const std::string key = CanonicalEk(ek);
  if (key.empty()) return Fail(op.err, NotAnEk(ek));
  const absl::StatusOr<store::InventoryRow> row = op.store.GetInventory(key);
  if (!row.ok()) return Fail(op.err, row.status());
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(ToJson(*row));
  } else {
    op.out << FormatPairs({{"ek", row->ek},
                           {"labels", OrDash(FormatLabels(row->labels))},
                           {"source", row->source},
                           {"by", row->author},
                           {"added", FormatUtc(row->added_at)}});
  }
  return ExitCode::kSuccess;
}

ExitCode EkInventoryRemove(const Operator& op, const std::vector<std::string>& eks) {
  std::vector<std::string> keys;
  for (const std::string& ek : eks) {
    keys.push_back(CanonicalEk(ek));
    if (keys.back().empty()) return Fail(op.err, NotAnEk(ek));
  }
  const audit::Detail detail = audit::Detail().Texts("eks", keys);
  const absl::Status removed =
      op.store.RemoveInventory(keys, AuditOf(op, "ek-inventory.remove", keys.front(), detail));
  if (!removed.ok()) return Fail(op.err, removed);
  if (op.format == OutputFormat::kJson) {
    op.out << Dump({{"removed", keys}});
  } else {
    op.out << keys.size() << " removed; hosts that are approved stay approved\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
