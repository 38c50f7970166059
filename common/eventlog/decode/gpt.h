// The partition table of the disk that was booted from.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2.5 (UEFI_GPT_DATA); UEFI 2.10, 5.3
// (GUID Partition Table).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

inline constexpr size_t kMaxPartitions = 1024;

struct Partition {
  std::string type;    // GUID, upper case
  std::string unique;  // GUID, upper case
  uint64_t first_lba = 0;
  uint64_t last_lba = 0;
  uint64_t attributes = 0;
  std::string name;  // UTF-8, not escaped; "" when it is no UTF-16
};

struct PartitionTable {
  std::string disk;  // GUID, upper case
  std::vector<Partition> partitions;
};

// nullopt when the header is no GPT header, when the partitions do not fit the data, or when there
// are more than kMaxPartitions.
std::optional<PartitionTable> DecodePartitionTable(ByteView event_data);

// "EFI system partition", "Linux root (x86-64)"; "" for a type without a name.
absl::string_view PartitionTypeName(absl::string_view type_guid);

}  // namespace bootgate::eventlog
