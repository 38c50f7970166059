// `evidence verify DIR`: the verdict over evidence in files, by the function the gatekeeper uses.
#pragma once

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/softening/softening.h"

namespace bootgate::gatekeeper::cli {

struct EvidenceVerifyOptions {
  std::string folder;
  std::optional<std::string> policy_file;     // none: DENY NO_POLICY
  std::optional<std::string> reference_file;  // none: not compared
  std::vector<std::string> set_files;         // reference sets that the reference names
  std::vector<std::string> ek_root_files;     // PEM; none: the EK certificate is not looked at
  softening::Softening softening;             // what findings come to
  std::string quote = "sha256";               // sha256, sha384, sha512, sha1, all, ecc
  std::string output = "table";               // table, json
  absl::Time now = absl::Now();  // for the validity of certificates, and of digests in sets
  // Where to put how the policy came to its decision; stays as it is when no policy was asked.
  std::shared_ptr<const policy::Trace>* trace = nullptr;
};

// The verdict alone, and with a candidate what that would have made of the evidence
// (Verdict::report). An error is the caller's to correct: see below.
absl::StatusOr<Verdict> VerdictOver(const EvidenceVerifyOptions& options,
                                    const policy::Policy* candidate = nullptr);

// Exit code: 0 ADMIT, 6 DENY, 7 REJECT, 1 ERROR, 2 usage (a file that is missing or unreadable, a
// policy or reference that cannot be read; `err` says which).
int RunEvidenceVerify(const EvidenceVerifyOptions& options, std::ostream& out, std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
