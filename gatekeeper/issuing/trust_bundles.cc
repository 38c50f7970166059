#include "gatekeeper/issuing/trust_bundles.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/issuing/ca_taints.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::issuing {
namespace {

constexpr size_t kNamedHosts = 10;

absl::StatusOr<std::string> PresentBundle(store::Store& store, const std::string& ca_folder,
                                          absl::Time now) {
  BG_ASSIGN_OR_RETURN(const pki::Authority authority, pki::Authority::Open({ca_folder}, now));
  BG_ASSIGN_OR_RETURN(std::set<std::string> tainted, TaintedCas(store));
  authority.SetTainted(std::move(tainted));
  BG_RETURN_IF_ERROR(authority.Refresh(now));
  return authority.trust_bundle()->sha256.hex();
}

}  // namespace

absl::StatusOr<BundleStanding> CountBundles(store::Store& store, const std::string& ca_folder,
                                            absl::Time now) {
  BG_ASSIGN_OR_RETURN(const std::string present, PresentBundle(store, ca_folder, now));
  std::vector<std::string> corrupt;  // they cannot attest either
  BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> hosts, store.ListHosts(&corrupt));
  const absl::Time since = now - kHeardLately;
  BundleStanding standing;
  for (const host::HostRecord& host : hosts) {
    if (host.trust == host::Trust::kRetired) continue;
    if (host.last_seen_at < since) {
      ++standing.silent;
    } else if (host.trust_bundle == present) {
      ++standing.have;
    } else {
      standing.lacking.push_back(host.id);
    }
  }
  return standing;
}

std::string Describe(const BundleStanding& standing) {
  const size_t lacking = standing.lacking.size();
  const int64_t heard = standing.have + static_cast<int64_t>(lacking);
  std::string out = absl::StrCat(standing.have, " of ", heard,
                                 " hosts that were heard of in the last day have the present trust "
                                 "bundle");
  if (lacking != 0) {
    const size_t named = std::min(lacking, kNamedHosts);
    const std::vector<std::string> first(standing.lacking.begin(),
                                         standing.lacking.begin() + static_cast<long>(named));
    absl::StrAppend(&out, "; not yet: ", Printable(absl::StrJoin(first, ", "), 1000));
    if (lacking > named) absl::StrAppend(&out, " and ", lacking - named, " more");
  }
  if (standing.silent != 0) {
    absl::StrAppend(&out, "; ", standing.silent, " more were not heard of");
  }
  return out;
}

}  // namespace bootgate::gatekeeper::issuing
