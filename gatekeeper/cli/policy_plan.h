// Verb `policy plan FILE`: who would change outcome under a policy, and why, before it is stored.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "gatekeeper/cli/evidence_verify.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

struct PlanAgainstOptions {
  std::string policy_file;
  std::vector<std::string> folders;        // of evidence: evidence_folder.h
  std::optional<std::string> before_file;  // the policy to compare with; none: outcomes alone
  EvidenceVerifyOptions verify;            // reference, sets, quote; folder and policy are not used
  OutputFormat format = OutputFormat::kTable;
};
// Judges evidence in files by both policies, as `evidence verify` does. Exit code: 0; 6 when the
// policy denies what the one before admits (without one: when it denies any); 2 for what cannot be
// read.
ExitCode PlanAgainst(const PlanAgainstOptions& options, std::ostream& out, std::ostream& err);

struct PlanFleetOptions {
  std::string policy_file, selector;
  uint32_t quoted_mask = 0;  // registers that hosts quote
};
// Over the last verdicts of all hosts that the selector would give the policy to. Exit code 6 when
// any of them would be denied.
ExitCode PlanFleet(const Operator& op, const PlanFleetOptions& options);

}  // namespace bootgate::gatekeeper::cli
