// IMA evidence to facts: does the list lead to the quoted PCR 10, and up to where?
#pragma once

#include <optional>
#include <vector>

#include "common/ima/list.h"
#include "common/ima/replay.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/appraisal/ima/claims.h"
#include "gatekeeper/appraisal/ima/entry_checks.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/claims/ima_progress.h"

namespace bootgate::gatekeeper::appraisal {

struct ImaInput {
  ByteView list;             // whole entries, before and after the quote joined
  size_t bound_entries = 0;  // of them, read before the quote and bound by it
  // What earlier evidence of this boot has shown: `list` begins after its entries. nullptr: `list`
  // is the whole list.
  const ImaProgress* before = nullptr;
  // Template digests that we computed ourselves, of entries of `list`: not computed again.
  const ima::DigestsAt* known_templates = nullptr;
  // The registers that the kernel found, where user space has extended them since; empty: as
  // quoted.
  std::vector<registers::RegisterBank> at_kernel_start;
  ima_list::Tolerance tolerance = {};
};

struct ImaAppraisal {
  ima::List list;                   // borrows ImaInput::list
  std::optional<ima::Match> match;  // entries past it are unquoted and must not be used
  bool behind = false;              // the list does not reach PCR 10 (yet): RETRY_LOG_BEHIND
  bool out_of_step = false;         // it does not continue `before`: RETRY_RESYNC, nothing else
  // IMA_...; when `behind`, IMA_PCR_MISMATCH is not among them. With what `before` says of the
  // earlier entries, here and in claims and coverage.
  std::vector<Finding> findings;
  std::vector<Claim> claims;
  Coverage coverage;
  std::vector<ima_list::MeasuredKey> keys;  // that the kernel loaded, in the quoted part or before
  ImaProgress progress;  // when `match`: what later evidence of this boot may build on
};

// When PCR 10 is not quoted, that is said in coverage and nothing else is concluded.
ImaAppraisal AppraiseIma(const tpm2::QuotedPcrs& quoted, const ImaInput& input);

}  // namespace bootgate::gatekeeper::appraisal
