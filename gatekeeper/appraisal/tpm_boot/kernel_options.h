// Options of the kernel's command line that touch the host's defences, and what they amount to.
//
// Implements: Linux Documentation/admin-guide/kernel-parameters.txt; systemd's
// kernel-command-line(7); IMA's and dracut's documentation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gatekeeper/appraisal/tpm_boot/facts.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

// The options of the table that the line has, in its order.
std::vector<KernelOption> FindKernelOptions(absl::string_view command_line);

// What one command line asks for. Texts are as written; nullopt: not asked for.
struct KernelSettings {
  bool debugging = false;  // a kernel debugger or an early console
  bool kaslr_disabled = false;
  bool module_signatures = false;  // module.sig_enforce
  bool init_overridden = false;    // init= or rdinit= names another first program
  bool debug_shell = false;        // a root shell without a password
  int lockdown = 0;                // 0 none, 1 integrity, 2 confidentiality
  std::optional<std::string> ima_appraise;
  std::vector<std::string> ima_policies;
};
KernelSettings SettingsOf(absl::string_view command_line);

// "none", "integrity", "confidentiality".
absl::string_view LockdownName(int level);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
