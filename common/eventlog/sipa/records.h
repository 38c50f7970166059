// The records inside an event that Windows' boot programs measured.
//
// Implements: policy language specification, section 9: a 32-bit number, a 32-bit size, data;
// containers hold further records.
//
// Reading is total, copies nothing and is bounded (nesting, number of records). Data that is not
// such records from its first byte to its last gives a problem and no record at all: nobody should
// believe one half of a sentence.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/eventlog/log.h"
#include "common/eventlog/sipa/record_type.h"

namespace bootgate::eventlog::sipa {

inline constexpr uint32_t kMaxNesting = 8;    // containers in containers
inline constexpr size_t kMaxRecords = 65536;  // in one event

// One record. Those that a container holds follow it, up to `end`.
struct Record {
  uint32_t id = 0;
  uint32_t depth = 0;                // 0: not in a container
  uint32_t end = 0;                  // number of the first record after it and what it holds
  const RecordType* type = nullptr;  // nullptr: a number without a name
  ByteView data;                     // of a container: all its records

  bool AsBoolean() const { return !data.empty() && data[0] != 0; }
  uint64_t AsNumber() const;  // little-endian; 0 for more than 8 bytes
};

struct Problem {
  Reason reason = Reason::kLogTruncated;  // a LOG_... code
  size_t offset = 0;                      // bytes, in the data
  std::string text;                       // one line, no host text
};

struct Records {
  std::vector<Record> records;  // in the order of the data; empty when there is a problem
  std::optional<Problem> problem;
};

Records ReadRecords(ByteView data);

// Whether an event's data is such records by its place: EV_EVENT_TAG in a register that Windows'
// boot programs extend (12-14, and 19 and 20 after a dynamic launch), or the EV_NO_ACTION that
// carries trust points, which nobody measured. Says nothing about whether they can be read.
bool HoldsRecords(const Event& event);

}  // namespace bootgate::eventlog::sipa
