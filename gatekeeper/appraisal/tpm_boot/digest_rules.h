// Whether the data of proven events is what their digests were made from (attack A37).
#pragma once

#include "gatekeeper/appraisal/tpm_boot/context.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

// LOG_EVENT_DIGEST where a type demands a hash of the data and the digest is not that one.
// `proven`: registers of this bank that follow from the log.
void CheckEventDigests(const Context& context, crypto::HashAlg bank, uint32_t proven);

// LOG_AUTHENTICODE: images whose digest nothing in the log explains. One finding for all of them.
void NoteUnexplainedImages(const Context& context, crypto::HashAlg bank, uint32_t proven);

// Used rows of the quirk table: a LOG_QUIRK finding and a claim for each.
void NoteQuirks(const Context& context);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
