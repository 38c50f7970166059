// Which part of the boot an event tells of: loader, kernel, initrd, command line, configuration.
//
// Implements: GRUB's, shim's, systemd-boot's, systemd-stub's and the Linux EFI stub's use of PCR 4,
// 5, 8, 9, 11, 12 and 13 (UAPI group's Linux TPM PCR registry).
//
// The text is the event's own data and as good as its coverage: ask CoverageOf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/eventlog/log.h"

namespace bootgate::eventlog {

enum class BootRole {
  kDriver,  // an option ROM or driver
  kLoader,  // an EFI application: shim, GRUB, systemd-boot, a kernel with a stub, ...
  kKernel,
  kInitrd,
  kCommandLine,    // `text` is the whole command line; empty when the log has only its digest
  kConfiguration,  // grub.cfg, loader.conf, device tree, certificates of a UKI
  kCommand,        // one GRUB command
  kModule,         // a module that GRUB loaded, or its command line
  kSection,        // another section of a unified kernel image
  kExtension,      // a system or configuration extension, or a credential
  kOther,          // a boot loader's, without a role
};
absl::string_view Name(BootRole role);  // "loader", "kernel", "command line", ...

enum class BootStack { kFirmware, kShim, kGrub, kSystemdBoot, kSystemdStub, kLinuxStub, kUnknown };
absl::string_view Name(BootStack stack);  // "firmware", "shim", "grub", "systemd-boot", ...

struct BootPart {
  BootRole role = BootRole::kOther;
  BootStack stack = BootStack::kUnknown;
  std::string text;  // path, section, command line: UTF-8 or bytes, not escaped
};

// nullopt when the event tells of no part of the boot chain (firmware settings, separators, ...).
std::optional<BootPart> DecodeBootPart(const Event& event);

}  // namespace bootgate::eventlog
