// The registers that a host will show after a planned change, foretold from the state in which it
// was last admitted.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/diagnosis/predict.h"
#include "gatekeeper/sealing/boot_state.h"

namespace bootgate::gatekeeper::sealing {

struct PlannedChange {
  std::vector<diagnosis::Replacement> replacements;  // of events of the boot log
  std::vector<registers::RegisterBank> given;        // values told outright; they win
};

// The registers of `selection`: what is not changed stays as it was admitted. kInvalidArgument,
// naming the register: an event that is not there, a bank with no new digest, a register that the
// change touches but that more than the boot log has extended, so that it cannot be foretold; or
// nothing changes at all.
absl::StatusOr<std::vector<registers::RegisterBank>> NextRegisters(
    const BootState& state, const PlannedChange& change, const registers::Selection& selection);

}  // namespace bootgate::gatekeeper::sealing
