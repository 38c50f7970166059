// What operators do to policies and references: hand in, bring into force, take back. Each act is a
// step in the history of its selector, or a version of its name, with an audit row.
//
// Everything that can refuse comes before anything is stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/rollout/fleet.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::rollout {

inline constexpr size_t kMaxStepReason = 1024;                  // bytes
inline constexpr size_t kMaxReferenceBytes = size_t{16} << 20;  // of a reference's text

struct By {
  std::string actor;  // "operator alice"
  absl::Time now;
};

// A policy, and the version that it is or will be.
struct PolicyVersion {
  store::VersionRow row;
  policy::Policy policy;
  bool stored = true;  // false: it is only what would be stored
};

struct Force {
  bool given = false;
  std::string reason;  // needed with it
};

// `bytes`: as text or signed; `source` begins the messages. Nothing is stored. Errors of ReadUpload
// and VersionFor; kInvalidArgument MESSAGE_MALFORMED: no name, or force without a reason.
absl::StatusOr<PolicyVersion> ReadPolicyVersion(store::Store& store, const By& by,
                                                const std::string& name, absl::string_view source,
                                                absl::string_view bytes, const Force& force);
// A stored one; `version` 0: the newest. Where signers are configured, SIGNER_UNTRUSTED when none
// of them signed it. kNotFound.
absl::StatusOr<PolicyVersion> FindPolicyVersion(store::Store& store, const std::string& name,
                                                int64_t version);
// Stores what is not stored yet. kAborted: somebody else took the number.
absl::Status PutPolicyVersion(store::Store& store, const By& by, const Force& force,
                              PolicyVersion* version);

enum class PolicyMode {
  kReport,   // judged beside what is enforced, without effect
  kEnforce,  // decides
};

struct ActivateOptions {
  std::string selector;  // selector.h
  PolicyMode mode = PolicyMode::kEnforce;
  int64_t accept_changes = 0;         // so many hosts may turn from ADMIT to DENY
  Force force;                        // older versions and any number of denied hosts
  uint32_t quoted_mask = 0;           // registers that hosts quote
  std::optional<int64_t> after_step;  // the newest step that was seen
  bool dry_run = false;
};

// What a step came to.
struct StepTaken {
  store::AssignmentRow row;  // its document is empty when nothing applies any more
  std::string before;        // "baseline@2"; empty: nothing was enforced
  Difference difference;
  bool changed = true;  // false: it was so already
};

// POLICY_ROLLBACK; POLICY_WOULD_DENY; kAborted REVISION_STALE: others took a step.
absl::StatusOr<StepTaken> Activate(store::Store& store, const By& by, PolicyVersion version,
                                   const ActivateOptions& options);

struct RollBackOptions {
  std::string selector, reason;
  uint32_t quoted_mask = 0;
  std::optional<int64_t> after_step;
};
// Back to what was enforced before, whatever it changes. A selector's first policy gives way to the
// less specific ones; where there is none (NO_POLICY for all) it is refused.
absl::StatusOr<StepTaken> RollBack(store::Store& store, const By& by,
                                   const RollBackOptions& options);

}  // namespace bootgate::gatekeeper::rollout
