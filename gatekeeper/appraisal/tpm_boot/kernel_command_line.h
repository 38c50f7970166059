// A Linux kernel's command line as the kernel itself takes it apart.
//
// Implements: Linux lib/cmdline.c and kernel/params.c as documented in
// Documentation/admin-guide/kernel-parameters.rst: double quotes protect spaces, '-' and '_' are
// one in names, "--" ends the kernel's own parameters.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

struct KernelParameter {
  std::string name;        // '-' written as '_'
  std::string value;       // without quotes
  bool has_value = false;  // there is a '='
  absl::string_view text;  // as written; borrows the command line
};

inline constexpr size_t kMaxKernelParameters = 4096;  // what follows is not read

// The parameters in order, up to "--".
std::vector<KernelParameter> ParseKernelCommandLine(absl::string_view command_line);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
