// What the events of proven registers may be, and in which order (attacks A36, A39).
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 2.3.4 (separators), 3.3.4, 10.4.1.
//
// Only registers that a quote proves are looked at: what stands in the others is not evidence, and
// that it is not has been said already.
#pragma once

#include "gatekeeper/appraisal/tpm_boot/context.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

// LOG_UNEXPECTED_TYPE, LOG_SEPARATOR, LOG_AFTER_SEPARATOR. `proven`: bit n, register n.
void CheckEventOrder(const Context& context, uint32_t proven);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
