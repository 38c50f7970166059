// What a host is told of how it stands. Pure.
//
// A host reads its own verdicts' findings, and the id of the incident to ask about. Of a quarantine
// by an operator it learns the fact alone: whoever watches an intruder does not write him letters.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::admission {

struct Standing {
  host::Trust trust = host::Trust::kPending;
  absl::Time since;
  std::vector<std::string> reasons;  // codes
  std::string why;                   // one line
  std::string incident_id;           // empty: none is open
};

Standing StandingOf(const host::HostRecord& host);

}  // namespace bootgate::gatekeeper::admission
