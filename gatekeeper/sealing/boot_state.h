// The state in which a host was last admitted, kept so that its next one can be foretold.
//
// A document for each state, shared by hosts that boot alike; an assignment, by host id, says which
// is a host's. Kept only for hosts that have secrets across boots.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/registers/bank.h"
#include "common/registers/selection.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::sealing {

inline constexpr char kBootStateKind[] = "boot-state";

struct BootState {
  std::vector<registers::RegisterBank> registers;  // as quoted: those that secrets are bound to
  Bytes boot_log;
};

std::string ToText(const BootState& state);
absl::StatusOr<BootState> BootStateFromText(const std::string& text);  // RECORD_CORRUPT

// kNotFound: the host was never admitted while it had secrets across boots.
absl::StatusOr<BootState> LastBootState(store::Store& store, const std::string& host_id);
// Writes nothing when the host's is this one already.
absl::Status RememberBootState(store::Store& store, const std::string& host_id,
                               const BootState& state, absl::Time now);

// `banks`, with the registers of `selection` alone.
std::vector<registers::RegisterBank> Restricted(const std::vector<registers::RegisterBank>& banks,
                                                const registers::Selection& selection);

}  // namespace bootgate::gatekeeper::sealing
