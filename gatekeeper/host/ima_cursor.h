// Up to where a host's IMA list has been judged, and under what. Part of the host's record, written
// with the verdict that it belongs to.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gatekeeper/claims/ima_progress.h"

namespace bootgate::gatekeeper::host {

// What a verdict depends on beside the evidence. Entries that were judged under other rules are
// judged again.
struct ImaRules {
  std::string policy_id, reference_id;
  std::string options_id;  // of what the gatekeeper was configured with

  friend bool operator==(const ImaRules&, const ImaRules&) = default;
};

struct ImaCursor {
  uint32_t reset_count = 0;  // the boot: as of the quote
  uint32_t restart_count = 0;
  ImaRules rules;
  absl::Time good_until;  // from then on the whole list is judged again
  ImaProgress progress;
};

}  // namespace bootgate::gatekeeper::host
