// What can be said of the keys behind evidence without the TPM at hand.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/cli/evidence_folder.h"
#include "pki/ek_chain.h"

namespace bootgate::gatekeeper::cli {

struct KeyFacts {
  std::vector<Finding> findings;
  std::vector<Claim> claims;  // aikValidated, aikPubHash
  Coverage coverage;
};

// `anchors`: nullptr when the operator gave no root; then the EK certificate is not looked at.
KeyFacts CheckKeys(const EvidenceFiles& files, const tpm2::Public& ak,
                   const pki::TrustAnchors* anchors, absl::Time now);

}  // namespace bootgate::gatekeeper::cli
