// The claims that a policy sees of a boot, made of verified facts only (docs/policies.md has the
// table of them).
//
// What cannot be established is left out, never set to a default. Where a fact weakens a host, one
// source that says so is enough; where it strengthens it, all must say so.
#pragma once

#include "gatekeeper/appraisal/notes.h"
#include "gatekeeper/appraisal/tpm_boot/facts.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

// `proven`: bit n, register n follows from the log: what no event of it says was not said.
void AddFactClaims(const BootFacts& facts, uint32_t proven, Notes& notes);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
