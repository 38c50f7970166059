#include "gatekeeper/client/verdicts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "bootgate/v1/fleet.pb.h"
#include "common/base/hex.h"
#include "gatekeeper/client/words.h"

namespace bootgate::gatekeeper::client {
namespace {

using cli::OrDash;

std::string OutcomeText(const v1::Verdict& verdict) {
  return Word(*v1::Outcome_descriptor(), verdict.outcome());
}

void PrintVerdict(const v1::Verdict& verdict, std::ostream& out) {
  out << cli::FormatPairs({{"verdict", verdict.id()},
                           {"host", verdict.host_id()},
                           {"at", TimeText(verdict.at())},
                           {"outcome", OutcomeText(verdict)},
                           {"policy", OrDash(verdict.policy_id())},
                           {"reference", OrDash(verdict.reference_id())},
                           {"boot", absl::StrCat("reset ", verdict.boot().reset_count(),
                                                 ", restart ", verdict.boot().restart_count())},
                           {"checked", OrDash(absl::StrJoin(verdict.checked(), ", "))}});
  for (const v1::NotChecked& row : verdict.not_checked()) {
    out << "not checked: " << Printable(row.what()) << " (" << Printable(row.why(), 1024) << ")\n";
  }
  PrintFindings(verdict, out);
}

absl::Status AddTimes(const VerdictListOptions& options, v1::ListVerdictsRequest* request) {
  const absl::Time now = absl::Now();
  const auto set = [&](const std::string& text, google::protobuf::Timestamp* out) {
    const absl::StatusOr<absl::Time> time = PointInTime(text, now);
    if (time.ok()) SetTime(*time, out);
    return time.status();
  };
  absl::Status status;
  if (!options.since.empty()) status.Update(set(options.since, request->mutable_since()));
  if (!options.until.empty()) status.Update(set(options.until, request->mutable_until()));
  return status;
}

}  // namespace

void PrintFindings(const v1::Verdict& verdict, std::ostream& out) {
  out << "\nFindings of verdict " << verdict.id() << " (" << TimeText(verdict.at()) << ")\n";
  for (const v1::Finding& finding : verdict.findings()) {
    out << "\n  " << Word(*v1::FindingSeverity_descriptor(), finding.severity()) << "  "
        << Printable(finding.code());
    if (!finding.action().empty()) out << "  (" << Printable(finding.action()) << ")";
    if (!finding.waiver_id().empty()) out << "  waived by " << Printable(finding.waiver_id());
    out << "\n    " << Printable(finding.text(), 4096) << "\n";
  }
}

ExitCode VerdictList(const Console& console, const VerdictListOptions& options) {
  v1::ListVerdictsRequest request;
  v1::ListVerdictsResponse all;
  request.set_host_id(options.host_id);
  absl::Status status = AddTimes(options, &request);
  if (!options.outcome.empty()) {
    const absl::StatusOr<int> outcome = Value(*v1::Outcome_descriptor(), options.outcome);
    if (!outcome.ok()) return Fail(console, outcome.status());
    request.set_outcome(static_cast<v1::Outcome>(*outcome));
  }
  if (status.ok()) {
    status = ListAll(console.api, "VerdictService/ListVerdicts", request, all, "verdicts",
                     options.limit);
  }
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonList(all, "verdicts");
  } else if (all.verdicts().empty()) {
    console.out << "no such verdict\n";
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const v1::Verdict& verdict : all.verdicts()) {
      rows.push_back({verdict.id(), verdict.host_id(), TimeText(verdict.at()), OutcomeText(verdict),
                      OrDash(absl::StrJoin(verdict.reasons(), ", "))});
    }
    console.out << cli::FormatTable({"VERDICT", "HOST", "AT", "OUTCOME", "REASONS"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode VerdictShow(const Console& console, const std::string& verdict_id) {
  v1::GetVerdictRequest request;
  v1::GetVerdictResponse answer;
  request.set_verdict_id(verdict_id);
  const absl::Status status = console.api.Call("VerdictService/GetVerdict", request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer.verdict());
  } else {
    PrintVerdict(answer.verdict(), console.out);
  }
  return ExitCode::kSuccess;
}

ExitCode VerdictExplain(const Console& console, const std::string& verdict_id) {
  v1::ExplainVerdictRequest request;
  v1::ExplainVerdictResponse answer;
  request.set_verdict_id(verdict_id);
  const absl::Status status = console.api.Call("VerdictService/ExplainVerdict", request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << answer.body_json() << "\n";
    return ExitCode::kSuccess;
  }
  for (const std::string& line : answer.lines()) console.out << Printable(line, 65536) << "\n";
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::client
