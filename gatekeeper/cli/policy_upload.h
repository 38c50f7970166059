// Policies on their way into the store: what `policy push` and `policy activate` share.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::cli {

// A policy, and the version that it is or will be.
struct PolicyVersion {
  store::VersionRow row;
  policy::Policy policy;
  bool stored = true;  // false: PutPolicyVersion has not been called
};

struct Force {
  bool given = false;
  std::string reason;
};
// kInvalidArgument: force without a reason, or a reason that is too long.
absl::Status CheckForce(const Force& force);

// A file, as text or signed, under a name; nothing is stored. Errors of rollout::ReadUpload and
// rollout::VersionFor.
absl::StatusOr<PolicyVersion> ReadPolicyVersion(const Operator& op, const std::string& file,
                                                const std::string& name, const Force& force);
// "NAME" or "NAME@VERSION" of the store. Where signers are configured, SIGNER_UNTRUSTED when none
// of them signed it.
absl::StatusOr<PolicyVersion> FindPolicyVersion(const Operator& op, const std::string& ref);

// Stores what is not stored yet, with its audit row. kAborted: somebody else took the number.
absl::Status PutPolicyVersion(const Operator& op, const Force& force, PolicyVersion* version);

struct PolicyPushOptions {
  std::string file, name;  // no name: the file's own
  Force force;
};
// Verb `policy push FILE`: the next version of a name; the newest text again is no new version.
ExitCode PolicyPush(const Operator& op, const PolicyPushOptions& options);

}  // namespace bootgate::gatekeeper::cli
