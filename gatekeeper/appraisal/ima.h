// IMA evidence to facts: does the list lead to the quoted PCR 10, and up to where?
#pragma once

#include <optional>
#include <vector>

#include "common/ima/list.h"
#include "common/ima/replay.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::appraisal {

struct ImaInput {
  ByteView list;             // whole entries, before and after the quote joined
  size_t bound_entries = 0;  // of them, read before the quote and bound by it
  // What is known from earlier evidence of this boot: entries [0, first_entry) gave `start`.
  uint64_t first_entry = 0;
  std::optional<crypto::Digest> start;  // nullopt: from the beginning (zeros)
  // The registers that the kernel found, where user space has extended them since; empty: as
  // quoted.
  std::vector<registers::RegisterBank> at_kernel_start;
};

struct ImaAppraisal {
  ima::List list;                   // borrows ImaInput::list
  std::optional<ima::Match> match;  // entries past it are unquoted and must not be used
  bool behind = false;              // the list does not reach PCR 10 (yet): RETRY_LOG_BEHIND
  std::vector<Finding> findings;    // IMA_...; when `behind`, IMA_PCR_MISMATCH is not among them
  std::vector<Claim> claims;
  Coverage coverage;
};

// When PCR 10 is not quoted, that is said in coverage and nothing else is concluded.
ImaAppraisal AppraiseIma(const tpm2::QuotedPcrs& quoted, const ImaInput& input);

}  // namespace bootgate::gatekeeper::appraisal
