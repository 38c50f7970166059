#include "gatekeeper/cli/policy_plan.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/cli/difference_text.h"
#include "gatekeeper/rollout/fleet.h"
#include "gatekeeper/rollout/selector.h"
#include "gatekeeper/rollout/upload.h"

namespace bootgate::gatekeeper::cli {
namespace {

// A plan stores nothing, so that who signed the policy does not matter yet.
absl::StatusOr<policy::Policy> ReadAnyPolicy(const std::string& file, absl::Time now) {
  BG_ASSIGN_OR_RETURN(const std::string bytes, ReadTextFile(file, rollout::kMaxUploadBytes));
  BG_ASSIGN_OR_RETURN(rollout::Upload upload, rollout::ReadUpload(file, bytes, {}, now));
  return std::move(upload.policy);
}

ExitCode CodeOf(const rollout::Difference& difference) {
  return difference.to_deny.empty() ? ExitCode::kSuccess : ExitCode::kDenied;
}

void Print(const rollout::Difference& difference, OutputFormat format, std::ostream& out) {
  if (format == OutputFormat::kJson) {
    out << DifferenceJson(difference, 2) << "\n";
  } else {
    PrintDifference(difference, out);
  }
}

// The failing findings that decide: of the enforced policy's verdict, or of the report.
void Explain(const std::vector<Finding>& findings, rollout::Change* change) {
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::kFail) continue;
    change->codes.emplace_back(Code(finding.code));
    if (change->why.empty()) change->why = finding.text;
  }
}

void Count(const std::string& folder, bool has_before, const Verdict& verdict,
           rollout::Difference* out) {
  ++out->hosts;
  if (!verdict.report.has_value()) {
    out->not_compared.push_back(
        {folder, absl::StrCat("its evidence is refused: ", Name(verdict.outcome))});
    return;
  }
  rollout::Change change;
  change.host_id = folder;
  change.from = has_before ? std::string(Name(verdict.outcome)) : "";
  change.to = std::string(Name(verdict.report->outcome));
  if (change.from == change.to) {
    ++out->same;
    return;
  }
  const bool denies = verdict.report->outcome != OutcomeClass::kAdmit;
  if (denies) Explain(verdict.report->findings, &change);
  if (change.codes.empty() && (denies || has_before)) Explain(verdict.findings, &change);
  (denies ? out->to_deny : out->to_admit).push_back(std::move(change));
}

absl::StatusOr<rollout::Difference> PlanFolders(const PlanAgainstOptions& options) {
  BG_ASSIGN_OR_RETURN(const policy::Policy policy,
                      ReadAnyPolicy(options.policy_file, options.verify.now));
  rollout::Difference out;
  for (const std::string& folder : options.folders) {
    EvidenceVerifyOptions verify = options.verify;
    verify.folder = folder;
    verify.policy_file = options.before_file;
    BG_ASSIGN_OR_RETURN(const Verdict verdict, VerdictOver(verify, &policy));
    Count(folder, options.before_file.has_value(), verdict, &out);
  }
  return out;
}

}  // namespace

ExitCode PlanAgainst(const PlanAgainstOptions& options, std::ostream& out, std::ostream& err) {
  const absl::StatusOr<rollout::Difference> difference = PlanFolders(options);
  if (!difference.ok()) {
    Fail(err, difference.status());
    return ExitCode::kUsage;
  }
  Print(*difference, options.format, out);
  return CodeOf(*difference);
}

ExitCode PlanFleet(const Operator& op, const PlanFleetOptions& options) {
  const absl::StatusOr<std::string> selector = rollout::ReadSelector(options.selector);
  if (!selector.ok()) return Fail(op.err, selector.status());
  const absl::StatusOr<policy::Policy> policy = ReadAnyPolicy(options.policy_file, op.clock.Now());
  if (!policy.ok()) return Fail(op.err, policy.status());
  const absl::StatusOr<rollout::Difference> difference =
      rollout::PlannedDifference(op.store, *selector, *policy, options.quoted_mask);
  if (!difference.ok()) return Fail(op.err, difference.status());
  Print(*difference, op.format, op.out);
  return CodeOf(*difference);
}

}  // namespace bootgate::gatekeeper::cli
