// What the operators' methods work on.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "gatekeeper/changes/change_hub.h"
#include "gatekeeper/quarantine/brake.h"
#include "gatekeeper/quarantine/waivers.h"
#include "gatekeeper/store/store.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::operators {

struct Backend {
  store::Store& store;
  const Clock& clock;
  const pki::Authority& authority;
  std::string cluster_id;
  std::string version;       // of the program
  std::string ca_folder;     // pki/ca_folder.h
  std::string audit_folder;  // of the keys that sign checkpoints: audit/key_folder.h
  std::string set_folder;    // of reference sets; empty: there are none
  absl::Duration overdue_after = absl::Minutes(20);
  bool second_approver = false;  // who resolves an incident may not release its host
  quarantine::BrakeOptions brake;
  absl::Duration longest_waiver = quarantine::kLongestWaiver;
  uint32_t quoted_mask = 0;               // registers that hosts quote (bit n: PCR n)
  changes::ChangeHub* changes = nullptr;  // nullptr: the server makes one
};

}  // namespace bootgate::gatekeeper::operators
