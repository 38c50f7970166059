#include "common/eventlog/decode/boot_chain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/eventlog/decode/event_tag.h"
#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/decode/ipl_text.h"
#include "common/eventlog/decode/shim.h"
#include "common/eventlog/event_type.h"

namespace bootgate::eventlog {
namespace {

constexpr uint32_t kGrubCommands = 8, kGrubFiles = 9, kUki = 11, kUkiConfig = 12,
                   kUkiExtension = 13;

std::string BaseName(absl::string_view path) {
  const size_t at = path.find_last_of("/\\");
  return absl::AsciiStrToLower(at == absl::string_view::npos ? path : path.substr(at + 1));
}

bool IsKernelName(absl::string_view name) {
  return absl::StartsWith(name, "vmlinu") || absl::StartsWith(name, "bzimage") ||
         absl::StartsWith(name, "linux") || absl::StartsWith(name, "kernel") || name == "image";
}

bool IsInitrdName(absl::string_view name) {
  return absl::StrContains(name, "initrd") || absl::StrContains(name, "initramfs") ||
         absl::EndsWith(name, "ucode.img") || name == "ucode.cpio";
}

bool IsConfigurationName(absl::string_view name) {
  return absl::EndsWith(name, ".cfg") || absl::EndsWith(name, ".conf") || name == "grubenv" ||
         absl::EndsWith(name, ".dtb");
}

// What a file is by its name: all that the log has.
BootRole RoleOfFile(absl::string_view path, BootRole otherwise) {
  const std::string name = BaseName(path);
  if (IsInitrdName(name)) return BootRole::kInitrd;
  if (IsKernelName(name)) return BootRole::kKernel;
  if (IsConfigurationName(name)) return BootRole::kConfiguration;
  if (absl::EndsWith(name, ".mod") || absl::EndsWith(name, ".lst")) return BootRole::kModule;
  return otherwise;
}

std::optional<BootPart> FromImage(const Event& event) {
  std::optional<ImageLoad> load = DecodeImageLoad(event.data);
  if (!load.has_value()) return std::nullopt;
  std::string path = load->file_path.empty() ? std::move(load->location) : load->file_path;
  if (event.untrusted_type != kEvEfiBootServicesApplication) {
    return BootPart{BootRole::kDriver, BootStack::kFirmware, std::move(path)};
  }
  const bool kernel = IsKernelName(BaseName(path));
  return BootPart{kernel ? BootRole::kKernel : BootRole::kLoader, BootStack::kFirmware,
                  std::move(path)};
}

std::optional<BootPart> FromTag(const Event& event) {
  const std::optional<TaggedEvent> tag = DecodeTaggedEvent(event.data);
  if (!tag.has_value()) return std::nullopt;
  switch (tag->id) {
    case kTagLinuxInitrd:
      return BootPart{BootRole::kInitrd, BootStack::kLinuxStub, std::string(tag->name)};
    case kTagLinuxLoadOptions:
      return BootPart{BootRole::kCommandLine, BootStack::kLinuxStub, ""};
    case kTagSystemdLoaderConf:
      return BootPart{BootRole::kConfiguration, BootStack::kSystemdBoot, "loader.conf"};
    case kTagSystemdDeviceTree:
      return BootPart{BootRole::kConfiguration, BootStack::kSystemdStub, std::string(tag->name)};
    case kTagSystemdInitrd:
    case kTagSystemdUcode:
      return BootPart{BootRole::kInitrd, BootStack::kSystemdStub, std::string(tag->name)};
    default:
      return std::nullopt;
  }
}

BootPart FromGrub(absl::string_view label, std::string text) {
  if (label == "kernel_cmdline") {
    return {BootRole::kCommandLine, BootStack::kGrub, std::move(text)};
  }
  if (label == "module_cmdline") return {BootRole::kModule, BootStack::kGrub, std::move(text)};
  return {BootRole::kCommand, BootStack::kGrub, std::move(text)};
}

// A section of a unified kernel image: ".linux", ".cmdline", ...
BootRole RoleOfSection(absl::string_view name) {
  if (name == ".linux") return BootRole::kKernel;
  if (name == ".initrd" || name == ".ucode") return BootRole::kInitrd;
  return BootRole::kSection;
}

// GRUB builds that write their label without a colon, with the text for the digest behind it.
constexpr struct {
  absl::string_view label;
  BootRole role;
} kOldLabels[] = {
    {"grub_cmd ", BootRole::kCommand},
    {"grub_kernel_cmdline ", BootRole::kCommandLine},
    {"grub_linuxefi Kernel", BootRole::kKernel},
    {"grub_linuxefi Initrd", BootRole::kInitrd},
};

std::optional<BootPart> FromOldGrub(absl::string_view text) {
  for (const auto& row : kOldLabels) {
    if (!absl::StartsWith(text, row.label)) continue;
    const absl::string_view rest = text.substr(row.label.size());
    return BootPart{row.role, BootStack::kGrub, std::string(rest.empty() ? text : rest)};
  }
  return std::nullopt;
}

// By the register that the stacks agree on. Confidential guests have few registers and put all of
// it into one: there only the text tells.
BootPart FromText(uint32_t register_index, std::string text, bool utf16) {
  const bool section = utf16 && absl::StartsWith(text, ".");
  if (register_index == kUki || section) {
    return {RoleOfSection(text), BootStack::kSystemdStub, std::move(text)};
  }
  if (register_index == kUkiExtension ||
      (register_index == kUkiConfig && absl::EndsWith(text, " initrd"))) {
    return {BootRole::kExtension, BootStack::kSystemdStub, std::move(text)};
  }
  if (register_index == kUkiConfig) {
    return {BootRole::kCommandLine, BootStack::kSystemdStub, std::move(text)};
  }
  if (register_index == kGrubCommands) {  // before version 251, systemd's stub measured here
    return {utf16 ? BootRole::kCommandLine : BootRole::kCommand,
            utf16 ? BootStack::kSystemdBoot : BootStack::kGrub, std::move(text)};
  }
  const bool path = absl::StartsWith(text, "(") || absl::StartsWith(text, "/");
  if (register_index == kGrubFiles || path) {
    const BootRole role = RoleOfFile(text, BootRole::kOther);
    return {role, BootStack::kGrub, std::move(text)};
  }
  return {BootRole::kOther, BootStack::kUnknown, std::move(text)};
}

std::optional<BootPart> FromIpl(const Event& event) {
  const std::optional<ShimEvent> shim = DecodeShimEvent(event);
  if (shim.has_value()) {
    return BootPart{BootRole::kConfiguration, BootStack::kShim, std::string(Name(shim->item))};
  }
  const IplParts parts = SplitIpl(event.data);
  std::string text = IplText(parts, event.data);
  if (!parts.label.empty()) return FromGrub(parts.label, std::move(text));
  const bool utf16 = text != AsText(parts.text);
  text.resize(std::min(text.find('\0'), text.size()));
  const std::optional<BootPart> old = FromOldGrub(text);
  if (old.has_value()) return old;
  return FromText(event.register_index, std::move(text), utf16);
}

}  // namespace

absl::string_view Name(BootRole role) {
  switch (role) {
    case BootRole::kDriver:
      return "driver";
    case BootRole::kLoader:
      return "loader";
    case BootRole::kKernel:
      return "kernel";
    case BootRole::kInitrd:
      return "initrd";
    case BootRole::kCommandLine:
      return "command line";
    case BootRole::kConfiguration:
      return "configuration";
    case BootRole::kCommand:
      return "command";
    case BootRole::kModule:
      return "module";
    case BootRole::kSection:
      return "section";
    case BootRole::kExtension:
      return "extension";
    case BootRole::kOther:
      return "other";
  }
  __builtin_unreachable();
}

absl::string_view Name(BootStack stack) {
  switch (stack) {
    case BootStack::kFirmware:
      return "firmware";
    case BootStack::kShim:
      return "shim";
    case BootStack::kGrub:
      return "grub";
    case BootStack::kSystemdBoot:
      return "systemd-boot";
    case BootStack::kSystemdStub:
      return "systemd-stub";
    case BootStack::kLinuxStub:
      return "linux-stub";
    case BootStack::kUnknown:
      return "unknown";
  }
  __builtin_unreachable();
}

std::optional<BootPart> DecodeBootPart(const Event& event) {
  if (IsImageLoad(event.untrusted_type)) return FromImage(event);
  if (event.untrusted_type == kEvEventTag) return FromTag(event);
  if (event.untrusted_type == kEvIpl) return FromIpl(event);
  return std::nullopt;
}

}  // namespace bootgate::eventlog
