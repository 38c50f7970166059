// What is known of the TPM that quoted: who made it, what was verified of it when it joined, what
// its clock, counters and firmware version say, and which published weaknesses its firmware has.
//
// Implements: TPM 2.0 Part 2, 10.11.1 (TPMS_CLOCK_INFO), 10.12.12 (TPMS_ATTEST). Whether counters
// may do what they did is gatekeeper/host/tpm_history.h's.
#pragma once

#include <vector>

#include "common/tpm2/attest.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/advisories/firmware_advisories.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::appraisal {

struct TpmAppraisal {
  std::vector<Finding> findings;  // TPM_FIRMWARE_VULNERABLE
  std::vector<Claim> claims;      // clockSafe, tpmFirmwareVersion, ekAssurance, ...
  Coverage coverage;
};

// `host` as read before this evidence. `on_weak_firmware`: kFail makes a DENY of a published
// weakness.
TpmAppraisal AppraiseTpm(const tpm2::AttestHeader& header, const host::HostRecord& host,
                         const advisories::FirmwareAdvisories& known, Severity on_weak_firmware);

// Of PCR 1-7 some are there, and none was ever extended: a firmware that measures leaves none of
// them so.
bool FirmwareRegistersAtStart(const tpm2::QuotedPcrs& quoted);

}  // namespace bootgate::gatekeeper::appraisal
