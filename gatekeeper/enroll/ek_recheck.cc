#include "gatekeeper/enroll/ek_recheck.h"

#include <utility>

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/tpm2/public.h"

namespace bootgate::gatekeeper::enroll {
namespace {

Finding Said(Reason code, const absl::Status& status) {
  Finding finding;
  finding.code = code;
  finding.text = Printable(status.message());
  return finding;
}

absl::Status CheckEkKey(const EkPolicy& policy, const host::HostRecord& host) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpmt(host.ek_public));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ek.Key());
  return policy.distrust.CheckKey(key);
}

// Revoked after the host has joined is distrust; unknown is nobody's fault but ours. What is
// unknown and lived with (soft) was told when the host joined.
std::vector<Finding> CheckLists(const EkPolicy& policy, const std::vector<Bytes>& path,
                                absl::Time now) {
  const absl::Status status =
      pki::CheckRevocation(path, policy.crls, policy.revocation, now).status();
  if (status.ok()) return {};
  const bool unknown = ReasonOf(status) == Reason::kEkRevocationUnknown;
  return {Said(unknown ? Reason::kEkRevocationUnknown : Reason::kTpmDistrusted, status)};
}

std::vector<Finding> CheckNow(const EkPolicy& policy, const host::HostRecord& host,
                              absl::Time now) {
  if (const absl::Status key = CheckEkKey(policy, host); !key.ok())
    return {Said(Reason::kTpmDistrusted, key)};
  if (host.ek_certificate.empty()) return {};
  // A chain that does not lead to an anchor any more (a root was removed, or it has expired) is no
  // distrust: what the host joined by stands. Its own certificate can still be on the list.
  const auto chain = pki::VerifiedEkChain::Verify(host.ek_certificate, {}, policy.anchors, now);
  const std::vector<Bytes> path =
      chain.ok() ? chain->path() : std::vector<Bytes>{host.ek_certificate};
  if (const absl::Status listed = policy.distrust.CheckPath(path); !listed.ok())
    return {Said(Reason::kTpmDistrusted, listed)};
  return chain.ok() ? CheckLists(policy, path, now) : std::vector<Finding>();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const EkPolicy>> EkRecheck::PolicyAt(absl::Time now) {
  const std::lock_guard lock(mutex_);
  const bool fresh =
      policy_ != nullptr && now >= policy_asked_at_ && now - policy_asked_at_ < kPolicyKept;
  if (!fresh) {
    BG_ASSIGN_OR_RETURN(policy_, policies_.Current());
    policy_asked_at_ = now;
  }
  return policy_;
}

absl::StatusOr<std::vector<Finding>> EkRecheck::Check(const host::HostRecord& host,
                                                      absl::Time now) {
  BG_ASSIGN_OR_RETURN(std::shared_ptr<const EkPolicy> policy, PolicyAt(now));
  {
    const std::lock_guard lock(mutex_);
    const auto known = remembered_.find(host.id);
    if (known != remembered_.end() && known->second.policy == policy &&
        known->second.ek_certificate == host.ek_certificate && now < known->second.until) {
      return known->second.findings;
    }
  }
  std::vector<Finding> findings = CheckNow(*policy, host, now);
  const std::lock_guard lock(mutex_);
  if (remembered_.size() >= kMaxRemembered) remembered_.clear();
  remembered_.insert_or_assign(host.id, Remembered{.policy = std::move(policy),
                                                   .ek_certificate = host.ek_certificate,
                                                   .until = now + kRemembered,
                                                   .findings = findings});
  return findings;
}

}  // namespace bootgate::gatekeeper::enroll
