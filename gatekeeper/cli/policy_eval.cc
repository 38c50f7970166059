#include "gatekeeper/cli/policy_eval.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "gatekeeper/admission/trace_json.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/cli/policy_files.h"
#include "gatekeeper/cli/policy_trace_text.h"
#include "gatekeeper/policy/format_error.h"
#include "gatekeeper/policy/limits.h"

namespace bootgate::gatekeeper::cli {
namespace {

std::string Headline(const policy::Evaluation& evaluation) {
  switch (evaluation.decision) {
    case policy::Decision::kPermit:
      return "permit";
    case policy::Decision::kDeny:
      return evaluation.deny_rule_line
                 ? absl::StrCat("deny: by the rule at line ", *evaluation.deny_rule_line)
                 : "deny: no rule permits";
    case policy::Decision::kError:
      return absl::StrCat("evaluation error at line ", evaluation.error_line, ": ",
                          Printable(evaluation.message), " [", evaluation.error_kind, "]");
  }
  __builtin_unreachable();
}

std::string ClaimTable(const std::vector<Claim>& claims) {
  std::vector<std::vector<std::string>> rows;
  for (const Claim& claim : claims) {
    rows.push_back({claim.type, ValueTypeName(claim.value), DisplayText(claim.value)});
  }
  return rows.empty() ? "" : FormatTable({"CLAIM", "TYPE", "VALUE"}, rows);
}

// One more member before the closing brace of an outcome.
std::string WithTrace(absl::string_view outcome, const policy::Trace& trace) {
  outcome = absl::StripSuffix(outcome, "\n}\n");
  return absl::StrCat(outcome, ",\n  \"trace\": ", admission::TraceJson(trace), "\n}\n");
}

void Print(const PolicyEvalOptions& options, const policy::Policy& policy,
           const policy::Evaluation& evaluation, std::ostream& out) {
  if (options.format == OutputFormat::kJson) {
    const std::string outcome = OutcomeText(policy, evaluation);
    out << (evaluation.trace ? WithTrace(outcome, *evaluation.trace) : outcome);
    return;
  }
  if (evaluation.trace) out << TraceTable(*evaluation.trace);
  out << Headline(evaluation) << "\n" << ClaimTable(evaluation.outgoing);
  if (!evaluation.properties.empty()) out << "properties\n" << ClaimTable(evaluation.properties);
}

}  // namespace

ExitCode PolicyEval(const PolicyEvalOptions& options, std::ostream& out, std::ostream& err) {
  const absl::StatusOr<std::string> text = ReadTextFile(options.policy_file, policy::kMaxTextBytes);
  if (!text.ok()) return Fail(err, text.status());
  const absl::StatusOr<CaseInput> input = ReadCaseFile(options.claims_file);
  if (!input.ok()) return Fail(err, input.status());
  policy::ParseError error;
  const auto policy = policy::Policy::Read(*text, &error);
  if (!policy) {
    if (options.format == OutputFormat::kJson) out << RefusalText(error);
    err << policy::FormatError(options.policy_file, *text, error);
    return ExitCode::kUsage;
  }
  const policy::Evaluation evaluation = policy::Evaluate(
      *policy, {.claims = input->claims, .documents = {}}, {.trace = options.trace});
  Print(options, *policy, evaluation, out);
  return evaluation.decision == policy::Decision::kPermit ? ExitCode::kSuccess : ExitCode::kDenied;
}

}  // namespace bootgate::gatekeeper::cli
