// One record's JSON to a Record; no tree is built and nothing recurses.
#pragma once

#include <variant>

#include "common/cel/log.h"

namespace bootgate::cel {

// Why a record's text is none. `cut`: it may be the beginning of a whole one.
struct BadRecord {
  Reason reason = Reason::kCelParse;
  std::string text;
  bool cut = false;
};

// `text`: the bytes between a record separator and the next, at most kMaxRecordBytes. Offset and
// number are the caller's to fill in.
std::variant<Record, BadRecord> ReadRecordText(ByteView text);

}  // namespace bootgate::cel
