#include "gatekeeper/cli/verdict_output.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/admission/verdict_json.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr size_t kMaxText = 2048;  // bytes of one sentence on the terminal
constexpr int kIndent = 2;

std::string Safe(absl::string_view text) { return Printable(text, kMaxText); }

void PrintFinding(const Finding& finding, std::ostream& out) {
  out << "\n" << Name(finding.severity) << "  " << std::string(Code(finding.code));
  if (finding.register_index) out << "  PCR " << *finding.register_index;
  if (finding.event) out << "  event " << *finding.event;
  if (finding.action && *finding.action != Action::kIsolate)
    out << "  " << std::string(Name(*finding.action));
  out << "\n  " << Safe(finding.text) << "\n";
  if (!finding.expected.empty()) out << "  expected  " << Safe(finding.expected) << "\n";
  if (!finding.actual.empty()) out << "  actual    " << Safe(finding.actual) << "\n";
}

void PrintCoverage(const Coverage& coverage, std::ostream& out) {
  if (!coverage.checked.empty()) out << "\nchecked\n";
  for (const std::string& what : coverage.checked) out << "  " << Safe(what) << "\n";
  if (!coverage.not_checked.empty()) out << "\nnot checked\n";
  for (const NotChecked& row : coverage.not_checked) {
    out << "  " << Safe(row.what) << ": " << Safe(row.why) << "\n";
  }
}

void PrintClaims(const std::vector<Claim>& claims, std::ostream& out) {
  if (!claims.empty()) out << "\nclaims\n";
  for (const Claim& claim : claims) {
    out << "  " << Safe(claim.type) << " = " << DisplayText(claim.value) << "\n";
  }
}

void PrintReport(const PolicyReport& report, std::ostream& out) {
  out << "\nreport only: " << std::string(Name(report.outcome)) << " by policy " << report.policy_id
      << "\n";
  PrintFindings(report.findings, out);
  for (const NotChecked& row : report.not_checked)
    out << "  not seen: " << Safe(row.what) << ": " << Safe(row.why) << "\n";
}

}  // namespace

void PrintFindings(const std::vector<Finding>& findings, std::ostream& out) {
  for (const Finding& finding : findings) PrintFinding(finding, out);
}

void PrintTable(const Verdict& verdict, std::ostream& out) {
  out << std::string(Name(verdict.outcome)) << "\n";
  PrintFindings(verdict.findings, out);
  PrintClaims(verdict.claims, out);
  PrintCoverage(verdict.coverage, out);
  if (verdict.report.has_value()) PrintReport(*verdict.report, out);
}

void PrintJson(const Verdict& verdict, std::ostream& out) {
  out << admission::VerdictJson(verdict, kIndent) << "\n";
}

ExitCode ExitCodeOf(OutcomeClass outcome) {
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

}  // namespace bootgate::gatekeeper::cli
