// Which hosts are shut out, since when and why: what operators and incident tooling ask first.
//
// Shut out: host::IsShutOut. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::quarantine {

// One line of `quarantine list`.
struct QuarantinedHost {
  std::string host_id, hostname;
  host::Trust trust = host::Trust::kQuarantined;
  absl::Time since;  // of the present trust state
  absl::Time last_seen_at;
  std::vector<std::string> reasons;  // codes of the last failure
  std::string why;                   // one line, of the failure that shut it out
  std::string incident_id;           // of the incident that is not closed; empty when there is none
  std::string verdict_id;            // the verdict that shut it out
  int64_t failures = 0;              // folded into the incident
};

struct QuarantineList {
  std::vector<QuarantinedHost> hosts;  // longest shut out first
  std::vector<std::string> corrupt;    // hosts whose record cannot be read: not trusted either
};

// All that `quarantine show` tells of one host.
struct QuarantineDetail {
  QuarantinedHost host;
  std::optional<host::BootMark> bad_boot;         // a release takes a later one
  std::optional<store::VerdictRow> verdict;       // that shut it out; nullopt when it is not kept
  std::vector<store::IncidentRow> incidents;      // all of this host, in order of opening
  std::vector<store::CredentialRow> credentials;  // all of this host, revoked or lapsed
};

absl::StatusOr<QuarantineList> ListQuarantined(store::Store& store);

// kNotFound HOST_UNKNOWN; kFailedPrecondition when the host is not shut out.
absl::StatusOr<QuarantineDetail> ShowQuarantined(store::Store& store, const std::string& host_id);

}  // namespace bootgate::gatekeeper::quarantine
