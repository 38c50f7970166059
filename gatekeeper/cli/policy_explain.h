// Verb `policy explain`: rule by rule what a policy saw, what fired on which claims, and from which
// boot events; of captured evidence, or of a verdict in the store.
#pragma once

#include <string>

#include "gatekeeper/cli/evidence_verify.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// Judges the folder as `evidence verify` does and tells how the policy came to its decision. Exit
// code: as of `evidence verify`.
ExitCode PolicyExplainEvidence(const EvidenceVerifyOptions& options, OutputFormat format,
                               std::ostream& out, std::ostream& err);

// Evaluates the verdict's policy again over the claims that the verdict keeps. Claims as long as a
// log are not kept: where the policy reads one of them, that is said, and nothing is evaluated.
// Exit code: 0; 8 no such verdict or policy; 9 the claims are not whole.
ExitCode PolicyExplainVerdict(const Operator& op, const std::string& verdict_id);

}  // namespace bootgate::gatekeeper::cli
