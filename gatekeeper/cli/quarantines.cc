#include "gatekeeper/cli/quarantines.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "gatekeeper/quarantine/view.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

std::string TrustName(host::Trust trust) {
  const absl::string_view name = host::Name(trust);
  return std::string(name.data(), name.size());
}

ordered_json ToJson(const quarantine::QuarantinedHost& row) {
  return {{"host", row.host_id},
          {"hostname", Printable(row.hostname)},
          {"trust", TrustName(row.trust)},
          {"since", FormatUtc(row.since)},
          {"last_seen_at", FormatUtc(row.last_seen_at)},
          {"reasons", row.reasons},
          {"why", row.why},
          {"incident", row.incident_id},
          {"verdict", row.verdict_id},
          {"failures", row.failures}};
}

// The findings kept with a verdict, as paragraphs; a body that cannot be read is said so.
void PrintStoredFindings(const store::VerdictRow& verdict, std::ostream& out) {
  const ordered_json body =
      ordered_json::parse(verdict.body_json, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object() || !body["findings"].is_array()) {
    out << "\nThe findings of verdict " << verdict.id << " cannot be read.\n";
    return;
  }
  out << "\nFindings of verdict " << verdict.id << " (" << FormatUtc(verdict.at) << ")\n";
  const auto text = [](const ordered_json& finding, const char* key) {
    return finding.contains(key) && finding[key].is_string()
               ? Printable(finding[key].get<std::string>(), 2048)
               : "";
  };
  for (const ordered_json& finding : body["findings"]) {
    out << "\n  " << text(finding, "severity") << "  " << text(finding, "code");
    if (finding.contains("register") && finding["register"].is_number())
      out << "  PCR " << finding["register"];
    if (finding.contains("event") && finding["event"].is_number())
      out << "  event " << finding["event"];
    out << "\n    " << text(finding, "text") << "\n";
    if (const std::string expected = text(finding, "expected"); !expected.empty())
      out << "    expected  " << expected << "\n";
    if (const std::string actual = text(finding, "actual"); !actual.empty())
      out << "    actual    " << actual << "\n";
  }
}

void PrintDetail(const quarantine::QuarantineDetail& detail, std::ostream& out) {
  const quarantine::QuarantinedHost& host = detail.host;
  out << FormatPairs({{"host", host.host_id},
                      {"hostname", OrDash(host.hostname)},
                      {"state", TrustName(host.trust)},
                      {"since", FormatUtc(host.since)},
                      {"last seen", FormatUtc(host.last_seen_at)},
                      {"why", OrDash(host.why)},
                      {"reasons", OrDash(absl::StrJoin(host.reasons, ", "))},
                      {"incident", OrDash(host.incident_id)},
                      {"failures", absl::StrCat(host.failures)}});
  if (detail.verdict.has_value()) PrintStoredFindings(*detail.verdict, out);
}

ordered_json ToJson(const quarantine::QuarantineDetail& detail) {
  ordered_json out = ToJson(detail.host);
  if (detail.verdict.has_value()) {
    ordered_json body =
        ordered_json::parse(detail.verdict->body_json, nullptr, /*allow_exceptions=*/false);
    if (body.is_object()) out["findings"] = body["findings"];
  }
  out["credentials"] = ordered_json::array();
  for (const store::CredentialRow& row : detail.credentials) {
    out["credentials"].push_back(
        {{"serial", row.serial}, {"profile", row.profile}, {"revoked", row.revoked}});
  }
  return out;
}

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode QuarantineList(const Operator& op) {
  const absl::StatusOr<quarantine::QuarantineList> list = quarantine::ListQuarantined(op.store);
  if (!list.ok()) return Fail(op.err, list.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json out = ordered_json::array();
    for (const quarantine::QuarantinedHost& row : list->hosts) out.push_back(ToJson(row));
    op.out << Dump(out);
  } else if (list->hosts.empty()) {
    op.out << "no host is quarantined\n";
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const quarantine::QuarantinedHost& row : list->hosts) {
      rows.push_back({row.host_id, OrDash(row.hostname), TrustName(row.trust), FormatUtc(row.since),
                      OrDash(row.incident_id), OrDash(row.why)});
    }
    op.out << FormatTable({"HOST", "NAME", "STATE", "SINCE", "INCIDENT", "WHY"}, rows);
  }
  for (const std::string& id : list->corrupt) {
    op.err << "warning: the record of " << Printable(id)
           << " is corrupt; the host is not trusted either\n";
  }
  return list->corrupt.empty() ? ExitCode::kSuccess : ExitCode::kPartial;
}

ExitCode QuarantineShow(const Operator& op, const std::string& host_id) {
  const absl::StatusOr<quarantine::QuarantineDetail> detail =
      quarantine::ShowQuarantined(op.store, host_id);
  if (!detail.ok()) return Fail(op.err, detail.status());
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(ToJson(*detail));
  } else {
    PrintDetail(*detail, op.out);
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
