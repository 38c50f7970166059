// What boot loaders put into EV_IPL.
//
// Implements: GRUB's and shim's use of EV_IPL; systemd-stub's (names in UTF-16).
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

// EV_IPL data taken apart. The views borrow the event's data.
struct IplParts {
  absl::string_view label;  // "grub_cmd", "kernel_cmdline", "module_cmdline"; empty when none
  ByteView text;            // after the label and its separator, without a final NUL
};
IplParts SplitIpl(ByteView event_data);

// The text for people: from UTF-16 where it is such, else the bytes.
std::string IplText(const IplParts& parts, ByteView event_data);

}  // namespace bootgate::eventlog
