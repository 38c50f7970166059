// Events of a dynamic launch by Intel TXT, in PCR 17 and 18.
//
// Implements: Intel TXT Software Development Guide, appendix on the TPM event log (types from
// 0x400).
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace bootgate::eventlog {

struct DynamicLaunchType {
  uint32_t number;
  absl::string_view name;     // "EVTYPE_MLE_HASH"
  absl::string_view meaning;  // "the measured launch environment"
};

// nullptr when the number is none of them.
const DynamicLaunchType* FindDynamicLaunchType(uint32_t number);

}  // namespace bootgate::eventlog
