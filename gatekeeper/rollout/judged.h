// Stored verdicts, as far as rollouts ask about them. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::rollout {

// What one policy made of one host.
struct Judged {
  std::string policy_id;  // empty: there was none
  std::string outcome;    // "ADMIT", "DENY"; "ERROR": its evaluation failed by our own fault
  std::vector<std::string> codes;  // of failing findings, each once
  std::string why;                 // the first failing finding, safe to print
};

struct JudgedTwice {
  Judged enforced;
  std::optional<Judged> report;
};
// RECORD_CORRUPT when the verdict's body is not what a gatekeeper writes.
absl::StatusOr<JudgedTwice> ReadJudged(const store::VerdictRow& verdict);

// What `policy` would make of the facts that the verdict kept; `quoted_mask`: the registers that
// hosts quote (bit n: PCR n). kFailedPrecondition names what the policy reads and the verdict did
// not keep.
absl::StatusOr<Judged> Plan(const store::VerdictRow& verdict, const policy::Policy& policy,
                            uint32_t quoted_mask);

}  // namespace bootgate::gatekeeper::rollout
