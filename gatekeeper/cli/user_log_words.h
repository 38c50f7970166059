// Words for people about systemd's user-space log: its records, its registers, what is wrong.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "common/cel/log.h"

namespace bootgate::gatekeeper::cli {

std::string NvIndexName(uint32_t nv_index);  // "0x01d10200"

// The strongest bank that any record has a digest of.
crypto::HashAlg StrongestBankOf(const cel::Log& log);

// The banks that records about PCRs have digests of.
std::vector<crypto::HashAlg> BanksOf(const cel::Log& log);

// "yes", "no" or "WRONG", as `eventlog show` marks the boot log's events. A record that has no
// digest of `bank` (an NvPCR's may not) is judged by the one that it has.
std::string RecordMark(const cel::Record& record, crypto::HashAlg bank);

// RECORD REGISTER TYPE COVERED WHAT, for FormatTable. `only`: records of that PCR.
std::vector<std::vector<std::string>> RecordRows(const cel::Log& log, std::optional<uint32_t> only);

// What a gatekeeper denies beside the form: texts that were not measured (LOG_EVENT_DIGEST),
// records of what systemd does not measure there (CEL_REGISTER). At most cel::kMaxDefects.
std::vector<cel::Defect> WrongRecords(const cel::Log& log);

// "warning: CEL_TRUNCATED: ..." for each defect and each wrong record.
void SayUserDefects(const cel::Log& log, std::ostream& err);

// Whether something in it is no record: registers may have been extended by what it was.
bool HasDefects(const cel::Log& log);

}  // namespace bootgate::gatekeeper::cli
