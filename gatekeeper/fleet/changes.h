// What operators change of a host apart from its quarantine.
//
// None of it gives trust, and none is a way out of a quarantine: a host that is shut out keeps its
// incident through retirement and comes back shut out, and its TPM is not swapped (attack A81).
// Errors of EditHost, and those that are told here.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/fleet/act.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::fleet {

struct LabelChange {
  std::map<std::string, std::string> set;
  std::vector<std::string> remove;  // names; one that is not there: fine
  bool replace = false;             // all others go
};
// kInvalidArgument SELECTOR: no labels, or too many in the end.
absl::StatusOr<Changed> SetLabels(store::Store& store, const std::string& id,
                                  const LabelChange& change, const Act& act);

// Lets an enrolled host attest. kFailedPrecondition HOST_RETIRED.
absl::StatusOr<Changed> Approve(store::Store& store, const std::string& id, const Act& act);

// Takes a host out of service: its credentials are revoked, and it is refused (HOST_RETIRED) until
// it is reinstated. Needs a reason.
absl::StatusOr<Changed> Retire(store::Store& store, const std::string& id, const Act& act);

// A retired host is pending again, without approval; shut out as it was if it was shut out. It
// joins anew. HOST_RETIRED: a swap has replaced it. Needs a reason.
absl::StatusOr<Changed> Reinstate(store::Store& store, const std::string& id, const Act& act);

struct Swapped {
  Changed old_host, new_host;
};
// The TPM (or the board with it) of `id` was replaced, and the machine has joined with the new one
// as `new_id`. Links both records; the new one gets the old one's labels and is approved, but not
// trusted: that takes evidence. The old one is retired. QUARANTINED while the old one is shut out;
// HOST_RETIRED, HOST_ID_BOUND when one of them takes part in another swap. One commit. Needs a
// reason.
absl::StatusOr<Swapped> SwapTpm(store::Store& store, const std::string& id,
                                const std::string& new_id, const Act& act);

// Vouches for a TPM that was cleared (TPM2_Clear): its counters may start anew once, within a day.
// What was suspected of a second machine is forgotten with it. HOST_RETIRED; HOST_STATE: it has
// never sent evidence. Needs a reason.
absl::StatusOr<Changed> AcceptClear(store::Store& store, const std::string& id, const Act& act);

}  // namespace bootgate::gatekeeper::fleet
