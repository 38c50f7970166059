// The parts of a UEFI variable event as they lie in the log, without copying.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2.6 (UEFI_VARIABLE_DATA).
#pragma once

#include <optional>

#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

struct UefiVariableParts {
  ByteView guid;  // 16 bytes
  ByteView name;  // UTF-16, little-endian
  ByteView data;
  bool exact = false;  // nothing follows the data
  size_t surplus = 0;  // bytes that follow it
};

// nullopt when a part lies outside `event_data`.
std::optional<UefiVariableParts> SplitUefiVariable(ByteView event_data);

}  // namespace bootgate::eventlog
