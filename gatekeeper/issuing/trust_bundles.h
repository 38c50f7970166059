// Who has the present trust bundle? Agents say with their evidence which CA certificates they
// trust; what they said last stands in the host's record. Nothing proves it: it is asked so that
// no host is locked out by a change of CAs, not to keep anybody out.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::issuing {

// Hosts that have sent evidence within this time count; who is silent for longer is not waited for.
inline constexpr absl::Duration kHeardLately = absl::Hours(24);

struct BundleStanding {
  int64_t have = 0;                  // named the present bundle with their last evidence
  std::vector<std::string> lacking;  // ids of those that named another one, or none
  int64_t silent = 0;                // not retired, and not heard of lately
};
// The present bundle is that of the CA folder, without what is tainted in the store. Retired hosts
// do not count. CA, CA_KEY, STORE.
absl::StatusOr<BundleStanding> CountBundles(store::Store& store, const std::string& ca_folder,
                                            absl::Time now);

// "12 of 14 hosts have the present trust bundle; not yet: h-..., h-..."
std::string Describe(const BundleStanding& standing);

}  // namespace bootgate::gatekeeper::issuing
