#include "gatekeeper/client/waivers.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "bootgate/v1/quarantine.pb.h"
#include "gatekeeper/client/words.h"

namespace bootgate::gatekeeper::client {
namespace {

using cli::OrDash;

// "14d": durations of days are what people write here.
absl::StatusOr<absl::Time> Expiry(absl::string_view text, absl::Time now) {
  absl::string_view number = text;
  int days = 0;
  if (absl::ConsumeSuffix(&number, "d") && absl::SimpleAtoi(number, &days) && days > 0) {
    return now + absl::Hours(24) * days;
  }
  absl::Duration after;
  if (absl::ParseDuration(text, &after) && after > absl::ZeroDuration()) return now + after;
  return PointInTime(text, now);
}

std::string HostsText(const v1::Waiver& waiver) {
  std::vector<std::string> all(waiver.host_ids().begin(), waiver.host_ids().end());
  if (!waiver.selector().empty()) all.push_back(waiver.selector());
  return absl::StrJoin(all, "; ");
}

// "IMA_UNLISTED of /opt/agent/*, PCR 10"
std::string FindingText(const v1::WaivedFinding& finding) {
  std::string text = finding.code();
  if (!finding.path().empty()) absl::StrAppend(&text, " of ", finding.path());
  if (finding.has_register_()) absl::StrAppend(&text, ", PCR ", finding.register_());
  if (!finding.expected().empty()) absl::StrAppend(&text, ", expected ", finding.expected());
  if (!finding.actual().empty()) absl::StrAppend(&text, ", actual ", finding.actual());
  return text;
}

std::string FindingsText(const v1::Waiver& waiver) {
  return absl::StrJoin(waiver.findings(), "; ",
                       [](std::string* out, const v1::WaivedFinding& finding) {
                         out->append(FindingText(finding));
                       });
}

std::string StateText(const v1::Waiver& waiver) {
  if (waiver.active()) return "active";
  return waiver.has_revoked_at() ? "revoked" : "expired";
}

void Print(const Console& console, const v1::Waiver& waiver) {
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(waiver);
    return;
  }
  console.out << cli::FormatPairs(
      {{"waiver", waiver.id()},
       {"state", StateText(waiver)},
       {"findings", FindingsText(waiver)},
       {"hosts", HostsText(waiver)},
       {"owner", waiver.owner()},
       {"reason", waiver.reason()},
       {"made", absl::StrCat(TimeText(waiver.created_at()), " by ", waiver.created_by())},
       {"expires", TimeText(waiver.expires_at())},
       {"revoked", waiver.has_revoked_at()
                       ? absl::StrCat(TimeText(waiver.revoked_at()), " by ", waiver.revoked_by(),
                                      ": ", waiver.revoked_why())
                       : "-"}});
}

}  // namespace

ExitCode WaiverAdd(const Console& console, const WaiverAddOptions& options) {
  const absl::StatusOr<absl::Time> expires = Expiry(options.expires, absl::Now());
  if (!expires.ok()) return Fail(console, expires.status());
  v1::AddWaiverRequest request;
  v1::AddWaiverResponse answer;
  v1::WaivedFinding* const finding = request.add_findings();
  finding->set_code(options.code);
  finding->set_path(options.path);
  finding->set_expected(options.expected);
  finding->set_actual(options.actual);
  if (options.register_index >= 0) {
    finding->set_register_(static_cast<uint32_t>(options.register_index));
  }
  for (const std::string& host : options.hosts) request.add_host_ids(host);
  request.set_selector(options.selector);
  request.set_owner(options.owner);
  request.set_reason(options.reason);
  SetTime(*expires, request.mutable_expires_at());
  const absl::Status status = Change(console.api, "WaiverService/AddWaiver", request, answer);
  if (!status.ok()) return Fail(console, status);
  Print(console, answer.waiver());
  return ExitCode::kSuccess;
}

ExitCode WaiverList(const Console& console, const WaiverListOptions& options) {
  v1::ListWaiversRequest request;
  v1::ListWaiversResponse all;
  request.set_include_ended(options.ended);
  request.set_host_id(options.host_id);
  request.set_code(options.code);
  const absl::Status status =
      ListAll(console.api, "WaiverService/ListWaivers", request, all, "waivers");
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonList(all, "waivers");
  } else if (all.waivers().empty()) {
    console.out << "no waiver stands\n";
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const v1::Waiver& waiver : all.waivers()) {
      rows.push_back({waiver.id(), StateText(waiver), FindingsText(waiver), HostsText(waiver),
                      TimeText(waiver.expires_at()), waiver.owner(), waiver.reason()});
    }
    console.out << cli::FormatTable(
        {"WAIVER", "STATE", "FINDING", "HOSTS", "EXPIRES", "OWNER", "REASON"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode WaiverShow(const Console& console, const std::string& waiver_id) {
  v1::GetWaiverRequest request;
  v1::GetWaiverResponse answer;
  request.set_waiver_id(waiver_id);
  const absl::Status status = console.api.Call("WaiverService/GetWaiver", request, answer);
  if (!status.ok()) return Fail(console, status);
  Print(console, answer.waiver());
  return ExitCode::kSuccess;
}

ExitCode WaiverRevoke(const Console& console, const std::string& waiver_id,
                      const std::string& reason) {
  v1::RevokeWaiverRequest request;
  v1::RevokeWaiverResponse answer;
  request.set_waiver_id(waiver_id);
  request.set_reason(reason);
  const absl::Status status = Change(console.api, "WaiverService/RevokeWaiver", request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer.waiver());
  } else {
    console.out << answer.waiver().id() << (answer.changed() ? " revoked\n" : " ended before\n");
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::client
