// Do the log's events lead to the quoted registers?
#pragma once

#include "gatekeeper/appraisal/tpm_boot/banks.h"
#include "gatekeeper/appraisal/tpm_boot/context.h"
#include "gatekeeper/appraisal/tpm_boot/defects.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

BankMatch MatchBank(const Context& context, const registers::RegisterBank& bank,
                    DefectReporter& defects);

// Without a log the boot's registers are one finding; the others still need an explanation.
void AppraiseMissingLog(const Context& context);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
