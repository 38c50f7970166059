#include "gatekeeper/enroll/ek_trust.h"

#include <algorithm>
#include <iterator>

#include "common/base/status_macros.h"
#include "common/tpm2/key_profile.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::enroll {
namespace {

constexpr EkMode kAllModes[] = {EkMode::kChain, EkMode::kInventory, EkMode::kChainAndInventory};

absl::StatusOr<crypto::PublicKey> CertifiedKey(const EkPolicy& policy, const EkShown& shown,
                                               absl::Time now) {
  if (policy.mode == EkMode::kInventory) return pki::KeyOfCertificate(shown.certificate);
  BG_ASSIGN_OR_RETURN(
      const pki::VerifiedEkChain chain,
      pki::VerifiedEkChain::Verify(shown.certificate, shown.intermediates, policy.anchors, now));
  return chain.key();
}

std::string HowBelieved(bool chain, bool listed) {
  if (chain && listed) return "chain+inventory";
  if (chain) return "chain";
  return listed ? "inventory" : std::string(kNothingBelieved);
}

bool IsApproved(EkMode mode, bool chain, bool listed) {
  switch (mode) {
    case EkMode::kChain:
      return chain;
    case EkMode::kInventory:
      return listed;
    case EkMode::kChainAndInventory:
      return chain && listed;
  }
  __builtin_unreachable();
}

}  // namespace

absl::string_view Name(EkMode mode) {
  switch (mode) {
    case EkMode::kChain:
      return "chain";
    case EkMode::kInventory:
      return "inventory";
    case EkMode::kChainAndInventory:
      return "chain+inventory";
  }
  __builtin_unreachable();
}

std::optional<EkMode> EkModeFromName(absl::string_view name) {
  const auto* const found = std::find_if(std::begin(kAllModes), std::end(kAllModes),
                                         [&](EkMode mode) { return Name(mode) == name; });
  if (found == std::end(kAllModes)) return std::nullopt;
  return *found;
}

absl::StatusOr<EkTrust> JudgeEk(const EkPolicy& policy, const EkShown& shown, absl::Time now) {
  BG_RETURN_IF_ERROR(tpm2::CheckEk(shown.ek).status());
  if (!shown.certificate.empty()) {
    BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, CertifiedKey(policy, shown, now));
    BG_RETURN_IF_ERROR(tpm2::CheckEkKey(shown.ek, key));
  }
  const bool chain = !shown.certificate.empty() && policy.mode != EkMode::kInventory;
  const bool listed = policy.inventory.count(host::HostIdFor(shown.ek.Name())) > 0;
  return EkTrust{.how = HowBelieved(chain, listed),
                 .approved = IsApproved(policy.mode, chain, listed),
                 .may_be_approved_by_token = chain || listed};
}

}  // namespace bootgate::gatekeeper::enroll
