// Which records of the user-space log may explain which register.
//
// Implements: systemd-pcrextend(8) and systemd-pcrphase.service(8): what systemd measures where.
//
// Registers of firmware and boot loader end with the boot log. A record that could be anything
// would let a host move the end of its boot log (a second loader, a kernel, a command line) to
// where neither rules nor reference values look at it.
#pragma once

#include "common/cel/log.h"

namespace bootgate::gatekeeper::appraisal {

// Whether user space measures such a record: into PCR 15, 16 and 23 anything; into PCR 11-14 a line
// of text that the digest covers; into PCR 0-7 and 9 only systemd's own fixed texts. `alg`: the
// bank whose digest counts. Records about NV indices are no register's, and may be anything.
bool IsOfUserSpace(const cel::Record& record, crypto::HashAlg alg);

}  // namespace bootgate::gatekeeper::appraisal
