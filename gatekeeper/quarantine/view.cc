#include "gatekeeper/quarantine/view.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

constexpr char kClosed[] = "closed";

using OpenIncidents = std::map<std::string, store::IncidentRow>;  // by host id

OpenIncidents OpenOnes(const std::vector<store::IncidentRow>& incidents) {
  OpenIncidents open;
  for (const store::IncidentRow& incident : incidents) {
    if (incident.state != kClosed) open.insert_or_assign(incident.host_id, incident);
  }
  return open;
}

QuarantinedHost ViewOf(const host::HostRecord& host, const OpenIncidents& open) {
  QuarantinedHost view;
  view.host_id = host.id;
  view.hostname = host.hostname;
  view.trust = host.trust;
  view.since = host.trust_since;
  view.last_seen_at = host.last_seen_at;
  view.reasons = host.reasons;
  view.why = host.why;
  view.verdict_id = host.last_verdict_id;
  const auto incident = open.find(host.id);
  if (incident == open.end()) return view;
  // What the host has sent since does not hide why it was shut out.
  view.incident_id = incident->second.id;
  view.verdict_id = incident->second.first_verdict_id;
  view.failures = incident->second.failures;
  view.why = incident->second.why;
  view.reasons = incident->second.reasons;
  return view;
}

bool LongerShutOut(const QuarantinedHost& a, const QuarantinedHost& b) {
  return std::tie(a.since, a.host_id) < std::tie(b.since, b.host_id);
}

absl::StatusOr<host::HostRecord> ShutOutHost(store::Store& store, const std::string& host_id) {
  absl::StatusOr<host::HostRecord> host = store.GetHost(host_id);
  if (absl::IsNotFound(host.status())) return WithReason(host.status(), Reason::kHostUnknown);
  if (!host.ok() || host::IsShutOut(host->trust)) return host;
  return absl::FailedPreconditionError(
      absl::StrCat("host ", host_id, " is ", host::Name(host->trust), ", not quarantined"));
}

}  // namespace

absl::StatusOr<QuarantineList> ListQuarantined(store::Store& store) {
  QuarantineList list;
  BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> hosts, store.ListHosts(&list.corrupt));
  BG_ASSIGN_OR_RETURN(const std::vector<store::IncidentRow> incidents, store.ListIncidents(""));
  const OpenIncidents open = OpenOnes(incidents);
  for (const host::HostRecord& host : hosts) {
    if (host::IsShutOut(host.trust)) list.hosts.push_back(ViewOf(host, open));
  }
  std::sort(list.hosts.begin(), list.hosts.end(), LongerShutOut);
  return list;
}

absl::StatusOr<QuarantineDetail> ShowQuarantined(store::Store& store, const std::string& host_id) {
  BG_ASSIGN_OR_RETURN(const host::HostRecord host, ShutOutHost(store, host_id));
  QuarantineDetail detail;
  BG_ASSIGN_OR_RETURN(detail.incidents, store.ListIncidents(host_id));
  BG_ASSIGN_OR_RETURN(detail.credentials, store.ListCredentials(host_id));
  detail.host = ViewOf(host, OpenOnes(detail.incidents));
  detail.bad_boot = host.quarantined_boot;
  absl::StatusOr<store::VerdictRow> verdict = store.GetVerdict(detail.host.verdict_id);
  if (verdict.ok()) {
    detail.verdict = *std::move(verdict);
  } else if (!absl::IsNotFound(verdict.status())) {
    return verdict.status();
  }
  return detail;
}

}  // namespace bootgate::gatekeeper::quarantine
