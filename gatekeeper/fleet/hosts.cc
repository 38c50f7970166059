#include "gatekeeper/fleet/hosts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/rollout/selector.h"

namespace bootgate::gatekeeper::fleet {
namespace {

using host::HostRecord;
using host::Trust;

constexpr int kBatch = 500;  // records read at once

bool Matches(const HostRecord& host, const HostFilter& filter, const std::string& hostname_part,
             const Timing& timing) {
  if (filter.approved.has_value() && host.approved != *filter.approved) return false;
  if (filter.overdue.has_value() && IsOverdue(host, timing) != *filter.overdue) return false;
  if (!filter.reason.empty() && std::ranges::count(host.reasons, filter.reason) == 0) return false;
  if (!rollout::Fits(filter.selector, host.labels)) return false;
  return hostname_part.empty() ||
         absl::StrContains(absl::AsciiStrToLower(host.hostname), hostname_part);
}

}  // namespace

bool IsOverdue(const HostRecord& host, const Timing& timing) {
  if (!host.approved || host.trust == Trust::kRetired) return false;
  const absl::Time heard = std::max(host.last_seen_at, host.enrolled_at);
  return timing.now - heard > timing.overdue_after;
}

absl::StatusOr<HostPage> ListHosts(store::Store& store, const HostFilter& filter,
                                   const Timing& timing, const std::string& after, size_t limit) {
  BG_RETURN_IF_ERROR(CheckSelector(filter.selector));
  HostFilter canonical = filter;
  BG_ASSIGN_OR_RETURN(canonical.selector, rollout::ReadSelector(filter.selector));
  const std::string hostname_part = absl::AsciiStrToLower(filter.hostname_contains);
  HostPage page;
  std::string at = after;
  while (true) {
    BG_ASSIGN_OR_RETURN(std::vector<HostRecord> batch,
                        store.ListHostsAfter(at, kBatch, canonical.trusts, &page.corrupt));
    if (batch.empty()) return page;
    for (HostRecord& host : batch) {
      at = host.id;
      if (!Matches(host, canonical, hostname_part, timing)) continue;
      page.hosts.push_back(std::move(host));
      if (page.hosts.size() < limit) continue;
      page.next = at;
      std::erase_if(page.corrupt, [&](const std::string& id) { return id > at; });
      return page;
    }
  }
}

absl::StatusOr<HostRecord> FindHost(store::Store& store, const std::string& id) {
  BG_RETURN_IF_ERROR(CheckId("host_id", id));
  absl::StatusOr<HostRecord> host = store.GetHost(id);
  if (!absl::IsNotFound(host.status())) return host;
  return WithReason(host.status(), Reason::kHostUnknown);
}

std::vector<Trust> CutOffTrusts() {
  return {Trust::kQuarantined, Trust::kInvestigating, Trust::kRemediated, Trust::kRestricted,
          Trust::kSuspect};
}

}  // namespace bootgate::gatekeeper::fleet
