// Tables that the firmware hands to the system (ACPI, SMBIOS, ...).
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2.2 (UEFI_HANDOFF_TABLE_POINTERS,
// UEFI_HANDOFF_TABLE_POINTERS2); UEFI 2.10, 4.6 (table GUIDs).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

inline constexpr size_t kMaxTables = 256;

struct HandoffTable {
  std::string guid;        // upper case
  absl::string_view name;  // "ACPI 2.0", "SMBIOS 3"; "" for a GUID without a name
  uint64_t address = 0;
};

struct HandoffTables {
  std::string description;  // of EV_EFI_HANDOFF_TABLES2, not escaped
  std::vector<HandoffTable> tables;
};

// `type` is EV_EFI_HANDOFF_TABLES or EV_EFI_HANDOFF_TABLES2. nullopt when the data is too short for
// what it announces, or announces more than kMaxTables.
std::optional<HandoffTables> DecodeHandoffTables(uint32_t type, ByteView event_data);

// "ACPI 2.0"; "" for a GUID (16 bytes) without a name.
absl::string_view TableName(ByteView guid);

}  // namespace bootgate::eventlog
