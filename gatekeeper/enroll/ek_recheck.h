// Is the TPM of a host that joined long ago still to be believed? Operators distrust TPMs and CAs,
// and vendors revoke certificates, after a host has joined: each evidence is asked again.
//
// It is asked with every evidence, so what was found is remembered until somebody changes what
// operators say (which is looked at once a second), and no longer than kRemembered. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/enroll/ek_policy_source.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::enroll {

class EkRecheck {
 public:
  static constexpr absl::Duration kRemembered = absl::Hours(1);
  static constexpr absl::Duration kPolicyKept = absl::Seconds(1);
  static constexpr size_t kMaxRemembered = 100'000;  // hosts

  // `policies` must outlive it.
  explicit EkRecheck(EkPolicySource& policies) : policies_(policies) {}

  // All of them failing. TPM_DISTRUSTED: the EK, its certificate or a CA above it is on the list,
  // or its vendor has revoked a certificate of the chain. EK_REVOCATION_UNKNOWN where ek.revocation
  // is hard: a REJECT, the host cannot help it. CAs between that only the host had shown are looked
  // at as far as the known ones lead to them. Errors: those of EkPolicySource.
  absl::StatusOr<std::vector<Finding>> Check(const host::HostRecord& host, absl::Time now);

 private:
  struct Remembered {
    std::shared_ptr<const EkPolicy> policy;
    Bytes ek_certificate;
    absl::Time until;
    std::vector<Finding> findings;
  };

  absl::StatusOr<std::shared_ptr<const EkPolicy>> PolicyAt(absl::Time now);

  EkPolicySource& policies_;
  std::mutex mutex_;
  // All: guarded by mutex_.
  std::shared_ptr<const EkPolicy> policy_;  // nullptr: not asked for yet
  absl::Time policy_asked_at_;
  std::map<std::string, Remembered> remembered_;  // by host id
};

}  // namespace bootgate::gatekeeper::enroll
