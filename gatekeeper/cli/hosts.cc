#include "gatekeeper/cli/hosts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/advisories/firmware_advisories.h"
#include "gatekeeper/cli/host_approval.h"
#include "gatekeeper/rollout/judged.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

// A verb may race with the running gatekeeper; a lost race is read again.

std::string TimeText(absl::Time time) { return time == absl::Time() ? "-" : FormatUtc(time); }

std::string TrustText(const host::HostRecord& host) {
  const std::string trust = std::string(host::Name(host.trust));
  return host.trust == host::Trust::kPending && !host.approved ? trust + " (not approved)" : trust;
}

std::string LabelText(const host::HostRecord& host) {
  return absl::StrJoin(host.labels, ",", absl::PairFormatter("="));
}

std::string TpmText(const host::HostRecord& host) {
  if (host.tpm.manufacturer.empty()) return "";
  return absl::StrCat(host.tpm.manufacturer, ", ", host.tpm.model, ", ", host.tpm.version);
}

// As the TPM signs it with each quote, in the form that policies and advisories have.
std::string FirmwareText(const host::HostRecord& host) {
  return host.tpm.firmware == 0 ? "" : advisories::FirmwareVersionText(host.tpm.firmware);
}

std::string LastBootText(const host::HostRecord& host) {
  if (!host.last_boot.has_value()) return "";
  return absl::StrCat(host::Describe(*host.last_boot),
                      host.tpm_history.clock_safe ? "" : " (not safe)");
}

// Evidence that did not fit behind the last one.
std::string SecondLineText(const host::TpmHistory& history) {
  if (!history.second_line.has_value()) return "";
  return absl::StrCat(host::Describe(history.second_line->boot), ", last heard ",
                      TimeText(history.second_line->seen_at),
                      history.clone_suspected ? ": a second machine" : "");
}

// What there is to say of a TPM that did not only go on.
void AddTpmHistory(const host::HostRecord& host,
                   std::vector<std::pair<std::string, std::string>>& pairs) {
  pairs.emplace_back("TPM counters", OrDash(LastBootText(host)));
  const host::TpmHistory& history = host.tpm_history;
  if (history.second_line.has_value()) pairs.emplace_back("second line", SecondLineText(history));
  if (history.clear_accepted_until.has_value())
    pairs.emplace_back("clear accepted until", TimeText(*history.clear_accepted_until));
  if (!host.replaces.empty()) pairs.emplace_back("replaces", host.replaces);
  if (!host.replaced_by.empty()) pairs.emplace_back("replaced by", host.replaced_by);
}

std::string EkCertificateText(const host::HostRecord& host) {
  if (!host.ek_certificate.empty()) return "of the vendor";
  return host.own_ek_certificate.empty() ? "none" : "ours";
}

std::string AkCertificateText(const host::HostRecord& host) {
  return host.ak_certificate.empty() ? "" : TimeText(host.ak_certificate_until);
}

ordered_json ToJson(const host::HostRecord& host) {
  ordered_json out = {{"host", host.id},
                      {"trust", std::string(host::Name(host.trust))},
                      {"since", TimeText(host.trust_since)},
                      {"approved", host.approved},
                      {"hostname", Printable(host.hostname)},
                      {"kernel", Printable(host.kernel_release)},
                      {"os", Printable(host.os_release)},
                      {"agent_version", Printable(host.agent_version)},
                      {"labels", host.labels},
                      {"ek_trust", host.ek_trust},
                      {"assurance", host.assurance},
                      {"tolerances", host.tolerances},
                      {"tpm",
                       {{"manufacturer", host.tpm.manufacturer},
                        {"model", host.tpm.model},
                        {"version", host.tpm.version},
                        {"firmware", FirmwareText(host)}}},
                      {"ek_certificate", EkCertificateText(host)},
                      {"ak_certificate_until", AkCertificateText(host)},
                      {"enrolled_at", TimeText(host.enrolled_at)},
                      {"last_seen_at", TimeText(host.last_seen_at)},
                      {"last_outcome", host.last_outcome},
                      {"last_verdict", host.last_verdict_id},
                      {"reasons", host.reasons},
                      {"why", host.why}};
  if (host.last_boot.has_value()) {
    out["last_boot"] = {{"reset_count", host.last_boot->reset_count},
                        {"restart_count", host.last_boot->restart_count},
                        {"clock_ms", host.last_boot->clock_ms},
                        {"clock_safe", host.tpm_history.clock_safe},
                        {"kernel_boot_id", Printable(host.tpm_history.kernel_boot_id)}};
  }
  out["second_line"] = SecondLineText(host.tpm_history);
  out["clone_suspected"] = host.tpm_history.clone_suspected;
  out["replaces"] = host.replaces;
  out["replaced_by"] = host.replaced_by;
  return out;
}

ordered_json ToJson(const store::CredentialRow& row) {
  return {{"serial", row.serial},
          {"kind", row.kind},
          {"profile", row.profile},
          {"verdict", row.verdict_id},
          {"not_before", TimeText(row.not_before)},
          {"not_after", TimeText(row.not_after)},
          {"revoked", row.revoked}};
}

// What a policy that is only reported on made of the host's last evidence; nullopt: none was.
std::optional<rollout::Judged> ReportOn(const Operator& op, const host::HostRecord& host) {
  if (host.last_verdict_id.empty()) return std::nullopt;
  const absl::StatusOr<store::VerdictRow> verdict = op.store.GetVerdict(host.last_verdict_id);
  if (!verdict.ok()) return std::nullopt;
  absl::StatusOr<rollout::JudgedTwice> judged = rollout::ReadJudged(*verdict);
  return judged.ok() ? std::move(judged->report) : std::nullopt;
}

std::string ReportText(const rollout::Judged& report) {
  constexpr size_t kShownDigits = 12;
  return absl::StrCat(report.outcome, " by policy ", report.policy_id.substr(0, kShownDigits),
                      report.why.empty() ? "" : ": ", report.why);
}

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void PrintHost(const host::HostRecord& host, const std::vector<store::CredentialRow>& credentials,
               const std::optional<rollout::Judged>& report, std::ostream& out) {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"host", host.id},
      {"state", TrustText(host)},
      {"since", TimeText(host.trust_since)},
      {"why", OrDash(host.why)},
      {"reasons", OrDash(absl::StrJoin(host.reasons, ", "))},
      {"hostname", host.hostname},
      {"kernel", host.kernel_release},
      {"system", host.os_release},
      {"agent", host.agent_version},
      {"labels", OrDash(LabelText(host))},
      {"EK believed by", host.ek_trust},
      {"assurance", OrDash(host.assurance)},
      {"tolerances", OrDash(absl::StrJoin(host.tolerances, "; "))},
      {"TPM", OrDash(TpmText(host))},
      {"TPM firmware", OrDash(FirmwareText(host))},
      {"EK certificate", EkCertificateText(host)},
      {"AK certificate until", OrDash(AkCertificateText(host))},
      {"enrolled", TimeText(host.enrolled_at)},
      {"last seen", TimeText(host.last_seen_at)},
      {"last outcome", OrDash(host.last_outcome)},
      {"last verdict", OrDash(host.last_verdict_id)}};
  AddTpmHistory(host, pairs);
  if (report.has_value()) pairs.emplace_back("report only", ReportText(*report));
  out << FormatPairs(pairs);
  if (credentials.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const store::CredentialRow& row : credentials) {
    rows.push_back(
        {row.serial, row.profile, TimeText(row.not_after), row.revoked ? "revoked" : "valid"});
  }
  out << "\n" << FormatTable({"CREDENTIAL", "PROFILE", "NOT AFTER", "STATE"}, rows);
}

}  // namespace

ExitCode HostList(const Operator& op) {
  std::vector<std::string> corrupt;
  const absl::StatusOr<std::vector<host::HostRecord>> hosts = op.store.ListHosts(&corrupt);
  if (!hosts.ok()) return Fail(op.err, hosts.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json out = ordered_json::array();
    for (const host::HostRecord& host : *hosts) out.push_back(ToJson(host));
    op.out << Dump(out);
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const host::HostRecord& host : *hosts) {
      rows.push_back({host.id, OrDash(host.hostname), OrDash(LabelText(host)), TrustText(host),
                      TimeText(host.trust_since), TimeText(host.last_seen_at), OrDash(host.why)});
    }
    op.out << FormatTable({"HOST", "NAME", "LABELS", "STATE", "SINCE", "LAST SEEN", "WHY"}, rows);
  }
  for (const std::string& id : corrupt) {
    op.err << "warning: the record of " << Printable(id) << " is corrupt and left out\n";
  }
  return corrupt.empty() ? ExitCode::kSuccess : ExitCode::kPartial;
}

ExitCode HostShow(const Operator& op, const std::string& host_id) {
  const absl::StatusOr<host::HostRecord> host = op.store.GetHost(host_id);
  if (!host.ok()) return Fail(op.err, host.status());
  const absl::StatusOr<std::vector<store::CredentialRow>> credentials =
      op.store.ListCredentials(host_id);
  if (!credentials.ok()) return Fail(op.err, credentials.status());
  const std::optional<rollout::Judged> report = ReportOn(op, *host);
  if (op.format == OutputFormat::kTable) {
    PrintHost(*host, *credentials, report, op.out);
    return ExitCode::kSuccess;
  }
  ordered_json out = ToJson(*host);
  if (report.has_value()) {
    out["report"] = {{"policy", report->policy_id},
                     {"outcome", report->outcome},
                     {"codes", report->codes},
                     {"why", report->why}};
  }
  out["credentials"] = ordered_json::array();
  for (const store::CredentialRow& row : *credentials) out["credentials"].push_back(ToJson(row));
  op.out << Dump(out);
  return ExitCode::kSuccess;
}

ExitCode HostApprove(const Operator& op, const std::string& host_id) {
  bool changed = false;
  const absl::Status status = ApproveHost(op, host_id, "", &changed);
  if (!status.ok()) return Fail(op.err, status);
  if (op.format == OutputFormat::kJson) {
    op.out << Dump({{"host", host_id}, {"approved", true}, {"changed", changed}});
  } else {
    op.out << host_id
           << (changed ? " approved; it is admitted when its evidence is good\n"
                       : " was approved before\n");
  }
  return ExitCode::kSuccess;
}

ExitCode HostApproveAll(const Operator& op, const Labels& labels) {
  std::vector<std::string> corrupt;
  const absl::StatusOr<std::vector<host::HostRecord>> hosts = op.store.ListHosts(&corrupt);
  if (!hosts.ok()) return Fail(op.err, hosts.status());
  ordered_json approved = ordered_json::array();
  for (const host::HostRecord& host : *hosts) {
    const bool fits =
        std::includes(host.labels.begin(), host.labels.end(), labels.begin(), labels.end());
    if (!fits || host.approved || host.trust != host::Trust::kPending) continue;
    bool changed = false;
    const absl::Status status =
        ApproveHost(op, host.id, absl::StrCat("labels ", FormatLabels(labels)), &changed);
    if (!status.ok()) return Fail(op.err, status);
    if (!changed) continue;
    approved.push_back(host.id);
    if (op.format == OutputFormat::kTable) op.out << host.id << " approved\n";
  }
  if (op.format == OutputFormat::kJson) op.out << Dump({{"approved", approved}});
  if (approved.empty() && op.format == OutputFormat::kTable) {
    op.out << "no host with " << FormatLabels(labels) << " waits for approval\n";
  }
  return corrupt.empty() ? ExitCode::kSuccess : ExitCode::kPartial;
}

}  // namespace bootgate::gatekeeper::cli
