// Boot entries: what the firmware was told to start, and in which order.
//
// Implements: UEFI 2.10, 3.1.3 (EFI_LOAD_OPTION), 3.3 (BootOrder, Boot####).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/eventlog/decode/device_path.h"

namespace bootgate::eventlog {

struct LoadOption {
  uint32_t attributes = 0;
  std::string description;  // UTF-8, not escaped
  DevicePath path;
  ByteView optional_data;  // borrowed
  bool active() const { return (attributes & 1) != 0; }
};

// nullopt when a part lies outside the data or the description is no UTF-16.
std::optional<LoadOption> DecodeLoadOption(ByteView variable_data);

// The numbers of BootOrder, DriverOrder and the like, in order; nullopt on an odd size or more than
// 4096 bytes.
std::optional<std::vector<uint16_t>> DecodeBootOrder(ByteView variable_data);

// Whether a variable of this name holds a load option: "Boot" and four hexadecimal digits; also
// Driver####, SysPrep####, PlatformRecovery####.
bool IsLoadOptionName(absl::string_view variable_name);

}  // namespace bootgate::eventlog
