// Boot evidence to facts: does the log lead to the quoted registers, and what does it say?
//
// Right of this room nobody parses a log. Pure: no clock, no store, no network.
#pragma once

#include <memory>
#include <vector>

#include "common/cel/log.h"
#include "common/eventlog/log.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/appraisal/tpm_boot/facts.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::appraisal {

struct BootOptions {
  // What systemd measured after the boot log's end; must outlive the call. nullptr: no log.
  const cel::Log* user_log = nullptr;
  // Registers that software extends after the log's end, without a record in either log (bit n:
  // register n). PCR 10 (IMA) never needs to be named.
  uint32_t runtime_extended = 0;
  // Banks that a verdict may rest on; others give BANK_NOT_ALLOWED. SHA-1 is never in the default.
  std::vector<crypto::HashAlg> allowed_banks = {crypto::HashAlg::kSha256, crypto::HashAlg::kSha384,
                                                crypto::HashAlg::kSha512,
                                                crypto::HashAlg::kSm3_256};
};

struct BootAppraisal {
  eventlog::Log log;      // borrows the bytes given to AppraiseBoot
  bool replayed = false;  // every quoted register of the log's banks follows from the log
  std::vector<Finding>
      findings;  // LOG_..., PCR_UNEXPLAINED, BANK_...; decoded, with register and event
  std::vector<Claim> claims;  // secureBootEnabled, ...
  tpm_boot::BootFacts facts;  // as the bank says that the claims rest on; empty without one
  Coverage coverage;
};

// `boot_log` must outlive the result. The bank that counts is each bank of the quote: with several
// all must agree (LOG_BANK_DIVERGENCE).
BootAppraisal AppraiseBoot(const tpm2::QuotedPcrs& quoted, ByteView boot_log,
                           const BootOptions& options);

}  // namespace bootgate::gatekeeper::appraisal
