// Which one change to systemd's user-space log makes a register fit that boot log and user-space
// log together do not lead to.
#pragma once

#include <optional>
#include <vector>

#include "common/cel/log.h"
#include "common/eventlog/explain/explain.h"

namespace bootgate::gatekeeper::diagnosis {

// Of so many records of one register the single changes are tried; of more only "stopped early".
inline constexpr size_t kMaxRecordsChanged = 512;

// The records about PCR `index` that have a digest of `alg`, in order. They borrow the log.
std::vector<const cel::Record*> RecordsOf(const cel::Log& log, crypto::HashAlg alg, uint32_t index);

// "record 3 of the user-space log (phase: sysinit)"; safe to print.
std::string SayRecord(const cel::Record& record);

// `from`: the register where the boot log ends. Only the first records were extended, one never
// was or was twice, two neighbours were the other way round; nullopt: none of these.
std::optional<eventlog::Explanation> ExplainByRecords(
    const std::vector<const cel::Record*>& records, const crypto::Digest& from,
    const crypto::Digest& quoted);

}  // namespace bootgate::gatekeeper::diagnosis
