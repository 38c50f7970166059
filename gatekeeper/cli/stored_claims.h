// The claims that a verdict in the store keeps, as a policy saw them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::cli {

struct StoredClaims {
  std::vector<Claim> claims;         // that came in, in order; not those that the policy issued
  std::vector<std::string> missing;  // types that the policy reads and that are not kept whole
};

// `body` is VerdictRow::body_json. kDataLoss: it cannot be read.
absl::StatusOr<StoredClaims> ReadStoredClaims(absl::string_view body, const policy::Policy& policy);

}  // namespace bootgate::gatekeeper::cli
