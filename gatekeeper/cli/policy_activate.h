// Verbs that change which policy applies to whom: `policy activate`, `assign`, `rollback`,
// `withdraw`. Each is one step in the history of its selector, with an audit row.
#pragma once

#include <cstdint>
#include <string>

#include "gatekeeper/cli/operator.h"
#include "gatekeeper/cli/policy_upload.h"

namespace bootgate::gatekeeper::cli {

enum class PolicyMode {
  kReport,   // judged beside what is enforced, without effect
  kEnforce,  // decides
};

struct PolicyActivateOptions {
  // NAME or NAME@VERSION; what has a '/' or a '.' is a file, which is pushed as well.
  std::string policy;
  std::string selector;
  PolicyMode mode = PolicyMode::kEnforce;
  int64_t accept_changes = 0;  // so many hosts may turn from ADMIT to DENY
  Force force;                 // older versions and any number of denied hosts
  uint32_t quoted_mask = 0;    // registers that hosts quote
};

// Exit code 9 and nothing changed: POLICY_ROLLBACK; POLICY_WOULD_DENY, when of the hosts that can
// be compared more than `accept_changes` would be denied.
ExitCode PolicyActivate(const Operator& op, const PolicyActivateOptions& options);

struct PolicyRollbackOptions {
  std::string selector, reason;
  uint32_t quoted_mask = 0;
};
// Back to what was enforced before, whatever it changes. A selector's first policy gives way to
// the less specific ones; where there is none (NO_POLICY for all) it is refused.
ExitCode PolicyRollback(const Operator& op, const PolicyRollbackOptions& options);

// Ends what is reported on.
ExitCode PolicyWithdraw(const Operator& op, const std::string& selector);

}  // namespace bootgate::gatekeeper::cli
