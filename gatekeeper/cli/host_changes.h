// Verbs `host retire`, `host reinstate`, `host swap-tpm`, `host accept-clear`: what happens to the
// TPM of a known host. Each needs a reason and leaves it in the audit trail.
//
// None of them gives trust, and none is a way out of a quarantine: a host that is shut out keeps
// its incident through retirement and comes back shut out, and its TPM is not swapped.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

struct HostChange {
  std::string host_id;
  std::string reason;
  std::string ticket;  // may be empty
};

// Takes a host out of service: its credentials are revoked, and it is refused (HOST_RETIRED) until
// it is reinstated. Again on a retired host: nothing changes, success.
ExitCode HostRetire(const Operator& op, const HostChange& change);

// A retired host is pending again, without approval; shut out as it was if it was shut out. It
// joins anew. A host that a swap has replaced stays retired.
ExitCode HostReinstate(const Operator& op, const HostChange& change);

// The TPM (or the board with it) of `change.host_id` was replaced, and the machine has joined with
// the new one as `new_id`. Links both records; the new one gets the old one's labels and is
// approved, but not trusted: that takes evidence. The old one is retired. Refused while the old one
// is shut out (QUARANTINED), or when one of them takes part in another swap. Both records are
// written at once, or neither.
ExitCode HostSwapTpm(const Operator& op, const HostChange& change, const std::string& new_id);

// Vouches for a TPM that was cleared (TPM2_Clear): its counters may start anew once, within a day.
// What was suspected of a second machine is forgotten with it.
ExitCode HostAcceptClear(const Operator& op, const HostChange& change);

}  // namespace bootgate::gatekeeper::cli
