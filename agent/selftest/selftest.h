// Would this host pass? Its evidence, taken from the TPM at hand, judged here by the gatekeeper's
// own judge, against a policy and reference values out of files. Nothing is sent or left behind.
//
// The one place of the agent that uses the gatekeeper's code: another judge would give another
// answer. It comes without store, CA and network (gatekeeper/judge).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/sources/sources.h"
#include "agent/tpm/tpm.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/reference/reference.h"

namespace bootgate::agent::selftest {

struct Files {
  std::string policy;
  std::string reference;          // empty: none
  std::vector<std::string> sets;  // IMA sets that the reference names
};

// What the files say.
struct Yardsticks {
  gatekeeper::policy::Policy policy;
  std::optional<gatekeeper::reference::Reference> reference;
  std::vector<std::shared_ptr<const gatekeeper::reference::ImaSet>> sets;
};

// Errors name the file: POLICY_PARSE with line and column, REFERENCE_PARSE, those of reading.
absl::StatusOr<Yardsticks> ReadYardsticks(const Files& files);

struct Boot {
  tpm::Tpm& tpm;
  tpm::AkKind ak;
  sources::Paths paths;
  std::string selection;  // what to quote; "sha256:0-14" is what gatekeepers ask for by default
  absl::Time now;
};

// A host that fails is a verdict. Errors: kInvalidArgument for the selection; those of the TPM and
// of reading the logs.
absl::StatusOr<gatekeeper::Verdict> JudgeThisBoot(const Boot& boot, const Yardsticks& yardsticks);

}  // namespace bootgate::agent::selftest
