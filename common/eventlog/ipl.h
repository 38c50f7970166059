// The label and the text that boot loaders put into EV_IPL.
//
// Implements: GRUB's use of EV_IPL.
#pragma once

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

// EV_IPL data taken apart. The views borrow the event's data.
struct IplParts {
  absl::string_view label;  // "grub_cmd", "kernel_cmdline", "module_cmdline"; empty when none
  ByteView text;            // after the label and its separator, without a final NUL
};
IplParts SplitIpl(ByteView event_data);

}  // namespace bootgate::eventlog
