// Why a quote's registers are not what a boot log leads to, in all its banks at once.
//
// The search in one bank is common/eventlog/explain; here the banks are held against one another,
// and another boot's log can lend its digests. Where systemd wrote its own log, the registers are
// those of both logs together: its records go on where the boot log ends.
#pragma once

#include <vector>

#include "common/cel/log.h"
#include "common/eventlog/explain/explain.h"
#include "common/eventlog/log.h"
#include "common/registers/bank.h"

namespace bootgate::gatekeeper::diagnosis {

struct BankDiagnosis {
  crypto::HashAlg bank = crypto::HashAlg::kSha256;
  bool in_log = false;       // the log has digests of it
  uint32_t matched = 0;      // registers that follow from the log (bit n: register n)
  uint32_t by_user_log = 0;  // those of them that take the user-space log's records to follow
  uint32_t not_in_log = 0;   // moved registers that other logs explain (PCR 10: IMA)
  std::vector<eventlog::Unexplained> unexplained;  // the most plausible explanation first
};

struct Diagnosis {
  std::vector<BankDiagnosis> banks;  // in the order given
  bool AllMatch() const;
};

// `similar`: the log of another boot, of the same host or of a good one, whose events may be the
// ones that `log` lacks or has in another form; nullptr: none.
// `user_log`: systemd's log of the same boot; nullptr: none. It counts PCRs: only for logs that do.
Diagnosis Explain(const eventlog::Log& log, const std::vector<registers::RegisterBank>& quoted,
                  const eventlog::Log* similar, const cel::Log* user_log = nullptr);

// `quoted` as it was before user space: registers that boot log and `user_log` together lead to
// have the value where the boot log ends. `by_user_log` gets which those are (bit n: register n).
registers::RegisterBank BeforeUserSpace(const eventlog::Log& log, const cel::Log& user_log,
                                        const registers::RegisterBank& quoted,
                                        uint32_t* by_user_log);

}  // namespace bootgate::gatekeeper::diagnosis
