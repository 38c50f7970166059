// Does the list belong to this boot? Its first entry must be boot_aggregate, and that of the
// registers which the kernel found.
//
// A kernel started by kexec goes on with the list of the one before and adds an aggregate of its
// own. Where that is allowed every one of them must be right; else a second one is IMA_KEXEC,
// because another boot's list joined on looks the same.
#pragma once

#include "absl/functional/function_ref.h"
#include "common/ima/list.h"
#include "common/registers/bank.h"
#include "gatekeeper/appraisal/notes.h"

namespace bootgate::gatekeeper::appraisal::ima_list {

struct AggregateInput {
  const ima::Entries& entries;
  size_t count = 0;          // of them, vouched for by the quote
  uint64_t first_entry = 0;  // entries of this boot that came before them
  bool kexec_allowed = false;
  // The registers that the kernel found, in this algorithm's bank; nullptr: not known.
  absl::FunctionRef<const registers::RegisterBank*(crypto::HashAlg)> bank;
};

void CheckBootAggregates(const AggregateInput& input, Notes& notes);

}  // namespace bootgate::gatekeeper::appraisal::ima_list
