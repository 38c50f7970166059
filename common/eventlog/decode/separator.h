// The events that end a register's pre-boot part.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4.1 (EV_SEPARATOR), 2.3.4.
#pragma once

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

enum class SeparatorKind {
  kZeros,    // 00000000
  kOnes,     // ffffffff: also allowed, says the same
  kError,    // 00000001: the firmware failed to measure; the register was capped
  kWindows,  // "WBCL": Windows caps PCR 12-14 so
  kOther,    // anything else; not a separator of the specification
};
SeparatorKind DecodeSeparator(ByteView event_data);
absl::string_view Name(SeparatorKind kind);  // "zeros", "ones", "error", "windows", "other"

}  // namespace bootgate::eventlog
