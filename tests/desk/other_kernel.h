// A captured boot as it would have been with another kernel file: what GRUB and the firmware
// measured of it is replaced in the log, and registers, boot_aggregate and IMA list follow.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bootgate::desk {

// Writes the case to `folder` (made). kInvalidArgument: the log of `case_folder` tells of no
// kernel.
absl::Status WriteBootWithKernel(const std::string& case_folder, absl::string_view kernel,
                                 const std::string& folder);

}  // namespace bootgate::desk
