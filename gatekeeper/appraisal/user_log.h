// systemd's measurement log to facts: does it lead from the boot log's end to the quoted registers,
// and what does it say?
//
// Pure, like the rest of this room. Whether a register matches is AppraiseBoot's to say, which asks
// AfterUserLog; here stands what the log itself gives.
#pragma once

#include <string>
#include <vector>

#include "common/cel/log.h"
#include "common/eventlog/log.h"
#include "common/registers/bank.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::appraisal {

// What the registers must hold when boot log and user-space log are true; `after_boot` is the boot
// log's replay. Without a log: `after_boot`.
registers::RegisterBank AfterUserLog(const cel::Log* user_log,
                                     const registers::RegisterBank& after_boot);

// The registers as they were when user space began: those that the log extends are taken back to
// the boot log's end, all others are as quoted. This is what the kernel's boot_aggregate covers.
std::vector<registers::RegisterBank> BeforeUserSpace(const tpm2::QuotedPcrs& quoted,
                                                     const eventlog::Log& boot_log,
                                                     const cel::Log& user_log);

// " and 4 records of the user-space log", about one register; empty when there are none.
std::string UserRecordsInWords(const cel::Log* user_log, uint32_t register_index);

struct UserLogAppraisal {
  std::vector<Finding> findings;  // CEL_..., LOG_EVENT_DIGEST; event: the record's number
  std::vector<Claim> claims;      // userLogReplayed, userLogPhase; none without a log
  Coverage coverage;
};

UserLogAppraisal AppraiseUserLog(const tpm2::QuotedPcrs& quoted, const eventlog::Log& boot_log,
                                 const cel::Log& user_log);

}  // namespace bootgate::gatekeeper::appraisal
