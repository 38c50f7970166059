#include "gatekeeper/client/quarantine.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bootgate/v1/quarantine.pb.h"
#include "gatekeeper/client/verdicts.h"
#include "gatekeeper/client/words.h"

namespace bootgate::gatekeeper::client {
namespace {

using cli::OrDash;

std::string TrustText(v1::TrustState trust) { return Word(*v1::TrustState_descriptor(), trust); }

void PrintEntry(const v1::QuarantineEntry& entry, std::ostream& out) {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"host", entry.host_id()},
      {"hostname", OrDash(entry.hostname())},
      {"state", TrustText(entry.trust())},
      {"since", TimeText(entry.since())},
      {"why", OrDash(entry.why())},
      {"reasons", OrDash(absl::StrJoin(entry.reasons(), ", "))},
      {"incident", OrDash(entry.incident_id())},
      {"verdict", OrDash(entry.verdict_id())}};
  if (!entry.shut_out_by().empty()) pairs.emplace_back("cut off by", entry.shut_out_by());
  out << cli::FormatPairs(pairs);
}

template <typename Request>
ExitCode Act(const Console& console, absl::string_view method, const QuarantineActOptions& options,
             const std::string& done) {
  Request request;
  if constexpr (requires { request.set_reason(options.reason); }) {
    request.set_reason(options.reason);
  } else {
    request.set_note(options.reason);
  }
  if constexpr (requires { request.set_ticket(options.ticket); })
    request.set_ticket(options.ticket);
  return ChangeHosts(console, method, request, options.targets, done);
}

std::string WindowText(const v1::GetBrakeResponse& brake) {
  if (brake.limit() == 0) return "off";
  return absl::StrCat(brake.quarantined_in_window(), " of at most ", brake.limit(), " in ",
                      absl::FormatDuration(absl::Seconds(brake.window_seconds())));
}

}  // namespace

ExitCode QuarantineList(const Console& console, const QuarantineListOptions& options) {
  v1::ListQuarantineRequest request;
  v1::ListQuarantineResponse all;
  for (const std::string& word : options.states) {
    const absl::StatusOr<int> state = Value(*v1::TrustState_descriptor(), word);
    if (!state.ok()) return Fail(console, state.status());
    request.add_trusts(static_cast<v1::TrustState>(*state));
  }
  request.set_selector(options.selector);
  request.set_reason(options.reason);
  const absl::Status status =
      ListAll(console.api, "QuarantineService/ListQuarantine", request, all, "entries");
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonList(all, "entries");
  } else if (all.entries().empty()) {
    console.out << "no host is quarantined\n";
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const v1::QuarantineEntry& entry : all.entries()) {
      rows.push_back({entry.host_id(), OrDash(entry.hostname()), TrustText(entry.trust()),
                      TimeText(entry.since()), OrDash(entry.incident_id()), OrDash(entry.why())});
    }
    console.out << cli::FormatTable({"HOST", "NAME", "STATE", "SINCE", "INCIDENT", "WHY"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode QuarantineShow(const Console& console, const std::string& host_id) {
  v1::GetQuarantineRequest request;
  v1::GetQuarantineResponse answer;
  request.set_host_id(host_id);
  const absl::Status status = console.api.Call("QuarantineService/GetQuarantine", request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer);
    return ExitCode::kSuccess;
  }
  PrintEntry(answer.entry(), console.out);
  if (answer.has_verdict()) PrintFindings(answer.verdict(), console.out);
  return ExitCode::kSuccess;
}

ExitCode QuarantineAdd(const Console& console, const QuarantineActOptions& options) {
  return Act<v1::AddQuarantineRequest>(console, "QuarantineService/AddQuarantine", options,
                                       "quarantined");
}

ExitCode QuarantineRelease(const Console& console, const QuarantineActOptions& options) {
  return Act<v1::ReleaseQuarantineRequest>(console, "QuarantineService/ReleaseQuarantine", options,
                                           "released: it comes back with its next good boot");
}

ExitCode QuarantineInvestigate(const Console& console, const QuarantineActOptions& options) {
  return Act<v1::InvestigateQuarantineRequest>(console, "QuarantineService/InvestigateQuarantine",
                                               options, "under investigation");
}

ExitCode QuarantineReopen(const Console& console, const QuarantineActOptions& options) {
  return Act<v1::ReopenQuarantineRequest>(console, "QuarantineService/ReopenQuarantine", options,
                                          "quarantined again");
}

ExitCode BrakeStatus(const Console& console) {
  v1::GetBrakeResponse answer;
  const absl::Status status =
      console.api.Call("BrakeService/GetBrake", v1::GetBrakeRequest(), answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer);
    return ExitCode::kSuccess;
  }
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"brake", answer.engaged() ? "engaged" : "released"}};
  if (answer.engaged()) {
    pairs.emplace_back("since", TimeText(answer.since()));
    pairs.emplace_back("why", OrDash(answer.why()));
  }
  pairs.emplace_back("hosts held", absl::StrCat(answer.held()));
  pairs.emplace_back("quarantined", WindowText(answer));
  console.out << cli::FormatPairs(pairs);
  return ExitCode::kSuccess;
}

ExitCode BrakeRelease(const Console& console, const std::string& decision,
                      const std::string& reason) {
  const absl::StatusOr<int> value = Value(*v1::BrakeDecision_descriptor(), decision);
  if (!value.ok()) return Fail(console, value.status());
  v1::ReleaseBrakeRequest request;
  v1::ReleaseBrakeResponse answer;
  request.set_decision(static_cast<v1::BrakeDecision>(*value));
  request.set_reason(reason);
  const absl::Status status = Change(console.api, "BrakeService/ReleaseBrake", request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer);
  } else {
    console.out << "the brake is " << (answer.engaged() ? "still engaged" : "released") << "; "
                << answer.hosts() << " hosts "
                << (decision == "confirm" ? "are quarantined" : "wait for their next evidence")
                << "\n";
  }
  if (answer.left() == 0) return ExitCode::kSuccess;
  console.err << "error: " << answer.left() << " hosts are still held; release again\n";
  return ExitCode::kPartial;
}

}  // namespace bootgate::gatekeeper::client
