#include "agent/app/selftest_verb.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "agent/app/host.h"
#include "agent/app/verb_support.h"
#include "agent/selftest/selftest.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"

namespace bootgate::agent::app {
namespace {

using gatekeeper::Finding;
using gatekeeper::NotChecked;
using gatekeeper::Severity;
using gatekeeper::Verdict;
using nlohmann::ordered_json;

constexpr size_t kMaxText = 2048;  // bytes of one sentence

ExitCode CodeOfOutcome(OutcomeClass outcome) {
  switch (outcome) {
    case OutcomeClass::kAdmit:
      return ExitCode::kSuccess;
    case OutcomeClass::kDeny:
      return ExitCode::kDenied;
    case OutcomeClass::kReject:
    case OutcomeClass::kLimit:
      return ExitCode::kRejected;
    case OutcomeClass::kError:
      return ExitCode::kInternal;
  }
  __builtin_unreachable();
}

std::string Headline(OutcomeClass outcome) {
  switch (outcome) {
    case OutcomeClass::kAdmit:
      return "this host would pass";
    case OutcomeClass::kDeny:
      return "this host would be denied, and quarantined";
    case OutcomeClass::kReject:
    case OutcomeClass::kLimit:
      return "this host's evidence would be refused";
    case OutcomeClass::kError:
      return "this host could not be judged";
  }
  __builtin_unreachable();
}

ordered_json ToJson(const Finding& finding) {
  ordered_json out = {{"code", std::string(Code(finding.code))},
                      {"severity", std::string(Name(finding.severity))},
                      {"register", nullptr},
                      {"event", nullptr},
                      {"expected", finding.expected},
                      {"actual", finding.actual},
                      {"text", finding.text},
                      {"way_out", std::string(Info(finding.code).way_out)}};
  if (finding.register_index) out["register"] = *finding.register_index;
  if (finding.event) out["event"] = *finding.event;
  return out;
}

void PrintJson(const Verdict& verdict) {
  ordered_json out = {{"outcome", std::string(Name(verdict.outcome))},
                      {"would_pass", verdict.outcome == OutcomeClass::kAdmit},
                      {"findings", ordered_json::array()},
                      {"checked", verdict.coverage.checked},
                      {"not_checked", ordered_json::array()}};
  for (const Finding& finding : verdict.findings) out["findings"].push_back(ToJson(finding));
  for (const NotChecked& row : verdict.coverage.not_checked)
    out["not_checked"].push_back({{"what", row.what}, {"why", row.why}});
  std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void PrintFinding(const Finding& finding) {
  std::cout << "\n" << Name(finding.severity) << "  " << Code(finding.code);
  if (finding.register_index) std::cout << "  PCR " << *finding.register_index;
  if (finding.event) std::cout << "  event " << *finding.event;
  std::cout << "\n  " << Printable(finding.text, kMaxText) << "\n";
  if (!finding.expected.empty())
    std::cout << "  expected  " << Printable(finding.expected, kMaxText) << "\n";
  if (!finding.actual.empty())
    std::cout << "  actual    " << Printable(finding.actual, kMaxText) << "\n";
  if (finding.severity == Severity::kFail)
    std::cout << "  way out   " << Info(finding.code).way_out << "\n";
}

void PrintTable(const Verdict& verdict) {
  std::cout << Name(verdict.outcome) << ": " << Headline(verdict.outcome) << "\n";
  for (const Finding& finding : verdict.findings) PrintFinding(finding);
  std::cout << "\nchecked\n";
  for (const std::string& what : verdict.coverage.checked)
    std::cout << "  " << Printable(what, kMaxText) << "\n";
  std::cout << "\nnot checked here\n";
  for (const NotChecked& row : verdict.coverage.not_checked) {
    std::cout << "  " << Printable(row.what, kMaxText) << ": " << Printable(row.why, kMaxText)
              << "\n";
  }
}

// A file that was given is the caller's to correct, whatever is wrong with it.
ExitCode FailFile(const absl::Status& status) {
  std::cerr << "error: " << Printable(status.message(), kMaxText) << "\n";
  return ExitCode::kUsage;
}

}  // namespace

ExitCode SelftestVerb(const Config& config, const SelftestWords& words, OutputFormat format) {
  const absl::StatusOr<selftest::Yardsticks> yardsticks =
      selftest::ReadYardsticks({words.policy_file, words.reference_file, words.set_files});
  if (!yardsticks.ok()) return FailFile(yardsticks.status());
  const absl::StatusOr<std::unique_ptr<tpm::Tpm>> tpm = OpenTpm(config);
  if (!tpm.ok()) return Fail(tpm.status());
  const tpm::AkKind ak = AkKindOf(config);
  const absl::StatusOr<Verdict> verdict =
      selftest::JudgeThisBoot({.tpm = **tpm,
                               .ak = ak,
                               .paths = BuilderOptions(config, ak).paths,
                               .selection = words.selection,
                               .now = SystemClock().Now()},
                              *yardsticks);
  if (!verdict.ok()) return Fail(verdict.status());
  if (format == OutputFormat::kJson)
    PrintJson(*verdict);
  else
    PrintTable(*verdict);
  return CodeOfOutcome(verdict->outcome);
}

}  // namespace bootgate::agent::app
