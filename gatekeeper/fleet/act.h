// What every change by an operator has: who, when, why, and what they had seen.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::fleet {

enum class Run { kReally, kDry };  // kDry: everything is checked, nothing is written

struct Act {
  std::string actor;  // "operator alice"
  absl::Time now;
  std::string reason, ticket;      // may be empty where the verb says so
  uint64_t expected_revision = 0;  // of the host; 0: whatever it is now
  Run run = Run::kReally;
};

// A host as it is afterwards (kDry: as it would be).
struct Changed {
  host::HostRecord host;
  bool changed = false;  // false: it was so already
};

}  // namespace bootgate::gatekeeper::fleet
