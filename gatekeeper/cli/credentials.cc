#include "gatekeeper/cli/credentials.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/revocation/ledger.h"
#include "gatekeeper/revocation/operators_reasons.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;
using revocation::OperatorsReason;
using store::CredentialRow;

constexpr size_t kMaxReason = 500;  // bytes
constexpr size_t kMaxSerialDigits = 2 * pki::kMaxSerialSize;

std::string TimeText(absl::Time time) { return time == absl::Time() ? "-" : FormatUtc(time); }

std::string StateOf(const CredentialRow& row, absl::Time now) {
  if (row.revoked) return "revoked";
  return row.not_after <= now ? "expired" : "valid";
}

ordered_json ToJson(const CredentialRow& row, absl::Time now) {
  ordered_json out = {{"serial", row.serial},
                      {"host", row.host_id},
                      {"kind", row.kind},
                      {"profile", row.profile},
                      {"state", StateOf(row, now)},
                      {"not_before", TimeText(row.not_before)},
                      {"not_after", TimeText(row.not_after)},
                      {"verdict", row.verdict_id},
                      {"issuer", row.issuer}};
  if (row.revoked_at.has_value()) out["revoked_at"] = TimeText(*row.revoked_at);
  return out;
}

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::string> SerialIn(const std::string& text) {
  std::string serial = absl::StrReplaceAll(text, {{":", ""}, {" ", ""}});
  absl::AsciiStrToLower(&serial);
  if (serial.size() > kMaxSerialDigits || serial.empty() || !FromHex(serial).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(text, 64), "' is no serial: write it in hexadecimal digits"));
  }
  return serial;
}

absl::StatusOr<CredentialRow> Find(const Operator& op, const std::string& text) {
  BG_ASSIGN_OR_RETURN(const std::string serial, SerialIn(text));
  absl::StatusOr<CredentialRow> row = op.store.GetCredential(serial);
  if (absl::IsNotFound(row.status())) {
    return absl::NotFoundError(absl::StrCat("no credential with the serial ", serial,
                                            " was issued here (see `credential list`)"));
  }
  return row;
}

absl::StatusOr<std::vector<CredentialRow>> RowsFor(const Operator& op,
                                                   const CredentialListOptions& options,
                                                   std::vector<std::string>* corrupt) {
  std::vector<CredentialRow> rows;
  const auto take = [&](const CredentialRow& row) {
    if (options.revoked && (!row.revoked || row.not_after <= op.clock.Now())) return;
    rows.push_back(row);
  };
  if (options.host_id.empty() && options.revoked) {
    BG_ASSIGN_OR_RETURN(const auto revoked, op.store.ListRevoked(0, op.clock.Now()));
    for (const store::RevokedRow& row : revoked) take(row.credential);
    return rows;
  }
  std::vector<std::string> hosts = {options.host_id};
  if (options.host_id.empty()) {
    BG_ASSIGN_OR_RETURN(const auto records, op.store.ListHosts(corrupt));
    hosts.clear();
    for (const host::HostRecord& host : records) hosts.push_back(host.id);
  } else {
    BG_RETURN_IF_ERROR(op.store.GetHost(options.host_id).status());
  }
  for (const std::string& host : hosts) {
    BG_ASSIGN_OR_RETURN(const std::vector<CredentialRow> of_host, op.store.ListCredentials(host));
    for (const CredentialRow& row : of_host) take(row);
  }
  return rows;
}

struct Why {
  std::string code, text;
};

absl::StatusOr<Why> WhyRevoked(const Operator& op, const CredentialRow& row) {
  BG_ASSIGN_OR_RETURN(const auto given, revocation::GetReason(op.store, row.serial));
  if (given.has_value()) return Why{std::string(pki::Name(given->code)), given->text};
  BG_ASSIGN_OR_RETURN(const auto code, revocation::ReasonByHost(op.store, row.host_id));
  const absl::StatusOr<host::HostRecord> host = op.store.GetHost(row.host_id);
  return Why{std::string(pki::Name(code)), host.ok() ? host->why : ""};
}

}  // namespace

ExitCode CredentialList(const Operator& op, const CredentialListOptions& options) {
  std::vector<std::string> corrupt;
  const absl::StatusOr<std::vector<CredentialRow>> rows = RowsFor(op, options, &corrupt);
  if (!rows.ok()) return Fail(op.err, rows.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json out = ordered_json::array();
    for (const CredentialRow& row : *rows) out.push_back(ToJson(row, op.clock.Now()));
    op.out << Dump(out);
  } else if (rows->empty()) {
    op.out << (options.revoked ? "nothing that has not expired is revoked\n" : "no credentials\n");
  } else {
    std::vector<std::vector<std::string>> cells;
    for (const CredentialRow& row : *rows) {
      cells.push_back({row.serial, row.host_id, row.kind, OrDash(row.profile),
                       TimeText(row.not_after), StateOf(row, op.clock.Now()),
                       row.revoked_at.has_value() ? TimeText(*row.revoked_at) : "-"});
    }
    op.out << FormatTable({"SERIAL", "HOST", "KIND", "PROFILE", "NOT AFTER", "STATE", "REVOKED"},
                          cells);
  }
  for (const std::string& id : corrupt) {
    op.err << "warning: the record of " << Printable(id) << " is corrupt; it is left out\n";
  }
  return corrupt.empty() ? ExitCode::kSuccess : ExitCode::kPartial;
}

ExitCode CredentialShow(const Operator& op, const std::string& serial) {
  const absl::StatusOr<CredentialRow> row = Find(op, serial);
  if (!row.ok()) return Fail(op.err, row.status());
  std::optional<Why> why;
  if (row->revoked) {
    const absl::StatusOr<Why> found = WhyRevoked(op, *row);
    if (!found.ok()) return Fail(op.err, found.status());
    why = *found;
  }
  if (op.format == OutputFormat::kJson) {
    ordered_json out = ToJson(*row, op.clock.Now());
    if (why.has_value()) out["reason"] = why->code, out["why"] = Printable(why->text, kMaxReason);
    op.out << Dump(out);
    return ExitCode::kSuccess;
  }
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"serial", row->serial},
      {"host", row->host_id},
      {"kind", row->kind},
      {"profile", OrDash(row->profile)},
      {"state", StateOf(*row, op.clock.Now())},
      {"not before", TimeText(row->not_before)},
      {"not after", TimeText(row->not_after)},
      {"verdict", OrDash(row->verdict_id)},
      {"issuing CA", OrDash(row->issuer)}};
  if (why.has_value()) {
    pairs.emplace_back("revoked", row->revoked_at.has_value() ? TimeText(*row->revoked_at) : "-");
    pairs.emplace_back("reason", why->code);
    pairs.emplace_back("why", OrDash(why->text));
  }
  op.out << FormatPairs(pairs);
  return ExitCode::kSuccess;
}

ExitCode CredentialRevoke(const Operator& op, const CredentialRevokeOptions& options) {
  const std::optional<pki::RevocationReason> code = pki::RevocationReasonFromName(options.code);
  if (!code.has_value()) {
    return Fail(op.err, absl::InvalidArgumentError(
                            absl::StrCat("--code: one of ", pki::RevocationReasonNames())));
  }
  if (absl::StripAsciiWhitespace(options.reason).empty() || options.reason.size() > kMaxReason) {
    return Fail(op.err, absl::InvalidArgumentError(
                            absl::StrCat("--reason: say why, in 1 to ", kMaxReason, " bytes")));
  }
  const absl::StatusOr<CredentialRow> row = Find(op, options.serial);
  if (!row.ok()) return Fail(op.err, row.status());
  if (row->revoked) {
    op.out << row->serial << " was revoked already, at "
           << (row->revoked_at.has_value() ? TimeText(*row->revoked_at) : "a time unknown") << "\n";
    return ExitCode::kSuccess;
  }
  const store::AuditRow audit = AuditOf(op, "credential.revoke", row->serial,
                                        audit::Detail()
                                            .Text("host", row->host_id)
                                            .Text("kind", row->kind)
                                            .Text("code", options.code)
                                            .Text("why", options.reason));
  const auto given = revocation::GetReason(op.store, row->serial);
  if (!given.ok()) return Fail(op.err, given.status());
  store::Commit commit;
  commit.revoke_serials = {row->serial};
  // Given before, but never carried out: of an earlier release. The first one stays.
  if (!given->has_value()) {
    commit.documents = {
        revocation::ReasonDocument(row->serial, {*code, options.reason}, op.actor, op.clock.Now())};
  }
  commit.audit.push_back(audit);
  if (const absl::Status applied = op.store.Apply(commit); !applied.ok()) {
    return Fail(op.err, applied);
  }
  op.out << row->serial << " of " << row->host_id << " is revoked";
  if (row->not_after <= op.clock.Now())
    op.out << " (it had expired at " << TimeText(row->not_after) << ")";
  op.out << "\n";
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
