// The path from an EK certificate to a configured anchor.
//
// Implements: RFC 5280, section 6, by OpenSSL; for leaves whose key OpenSSL cannot read, the leaf's
// own step is made here.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/crypto/owners.h"

namespace bootgate::pki {

// Borrows. The keys in the certificates have been checked for size.
struct PathInput {
  const std::vector<crypto::X509Ptr>& intermediates;  // untrusted
  const std::vector<std::shared_ptr<X509>>& anchors;
  absl::Time now;
};

// EK_CHAIN_EXPIRED, EK_CHAIN_UNTRUSTED; the message names certificate and defect.
absl::Status VerifyPath(X509* leaf, const PathInput& input);

}  // namespace bootgate::pki
