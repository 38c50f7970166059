// Events of a dynamic launch by Intel TXT, in PCR 17 and 18.
//
// Implements: Intel TXT Software Development Guide, appendix on the TPM event log (types from
// 0x400); the Linux kernel's Secure Launch types and tboot's (from 0x501).
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace bootgate::eventlog {

struct DynamicLaunchType {
  uint32_t number = 0;
  absl::string_view meaning;  // "the measured launch environment"; TypeName gives the name
};

// nullptr when the number is none of them.
const DynamicLaunchType* FindDynamicLaunchType(uint32_t number);

}  // namespace bootgate::eventlog
