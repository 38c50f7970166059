// A refusal as a finding of a verdict.
#pragma once

#include <string>

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::cli {

// Without a reason code it is our own fault: INTERNAL.
inline Finding FindingFrom(const absl::Status& status) {
  Finding finding;
  finding.code = ReasonOf(status).value_or(Reason::kInternal);
  finding.severity = Severity::kFail;
  finding.text = Printable(status.message());
  return finding;
}

// The verdict over evidence that was refused with `status`.
inline Verdict RefusedVerdict(const absl::Status& status) {
  const Finding finding = FindingFrom(status);
  const bool theirs = Info(finding.code).outcome == OutcomeClass::kReject;
  Verdict verdict(theirs ? OutcomeClass::kReject : OutcomeClass::kError);
  verdict.findings.push_back(finding);
  verdict.coverage.not_checked.push_back(
      {"logs, reference values and policy", "the evidence was refused"});
  return verdict;
}

}  // namespace bootgate::gatekeeper::cli
