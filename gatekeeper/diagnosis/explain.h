// Why a quote's registers are not what a boot log leads to, in all its banks at once.
//
// The search in one bank is common/eventlog/explain; here the banks are held against one another,
// and another boot's log can lend its digests.
#pragma once

#include <vector>

#include "common/eventlog/explain/explain.h"
#include "common/eventlog/log.h"
#include "common/registers/bank.h"

namespace bootgate::gatekeeper::diagnosis {

struct BankDiagnosis {
  crypto::HashAlg bank = crypto::HashAlg::kSha256;
  bool in_log = false;      // the log has digests of it
  uint32_t matched = 0;     // registers that follow from the log (bit n: register n)
  uint32_t not_in_log = 0;  // moved registers that other logs explain (PCR 10: IMA)
  std::vector<eventlog::Unexplained> unexplained;  // the most plausible explanation first
};

struct Diagnosis {
  std::vector<BankDiagnosis> banks;  // in the order given
  bool AllMatch() const;
};

// `similar`: the log of another boot, of the same host or of a good one, whose events may be the
// ones that `log` lacks or has in another form; nullptr: none.
Diagnosis Explain(const eventlog::Log& log, const std::vector<registers::RegisterBank>& quoted,
                  const eventlog::Log* similar);

}  // namespace bootgate::gatekeeper::diagnosis
