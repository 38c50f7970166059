#include "common/eventlog/decode/gpt.h"

#include <algorithm>

#include "common/bytes/reader.h"
#include "common/eventlog/decode/guid.h"
#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::eventlog {
namespace {

constexpr absl::string_view kSignature = "EFI PART";
constexpr size_t kEntryFields = 128;  // bytes that UEFI defines of an entry
constexpr size_t kNameBytes = 72;

struct TypeName {
  absl::string_view guid;
  absl::string_view name;
};

constexpr TypeName kTypes[] = {
    {"C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EFI system partition"},
    {"21686148-6449-6E6F-744E-656564454649", "BIOS boot partition"},
    {"0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux file system"},
    {"4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", "Linux root (x86-64)"},
    {"B921B045-1DF0-41C3-AF44-4C6F280D3FAE", "Linux root (ARM64)"},
    {"2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5", "Linux root verity (x86-64)"},
    {"8484680C-9521-48C6-9C11-B0720656F69E", "Linux /usr (x86-64)"},
    {"BC13C2FF-59E6-4262-A352-B275FD6F7172", "Linux extended boot"},
    {"933AC7E1-2EB4-4F13-B844-0E14E2AEF915", "Linux home"},
    {"0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "Linux swap"},
    {"E6D6D379-F507-44C2-A23C-238F2A3DF928", "Linux LVM"},
    {"A19D880F-05FC-4D3B-A006-743F0F84911E", "Linux RAID"},
    {"CA7D7CCB-63ED-4C53-861C-1742536059CC", "Linux LUKS"},
    {"EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "Microsoft basic data"},
    {"E3C9E316-0B5C-4DB8-817D-F92DF00215AE", "Microsoft reserved"},
    {"DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", "Windows recovery"},
    {"5808C8AA-7E8F-42E0-85D2-E1E90434CFB3", "Microsoft LDM metadata"},
    {"AF9B60A0-1431-4F62-BC68-3311714A69AD", "Microsoft LDM data"},
    {"FE3A2A5D-4F32-41A7-B725-ACCC3285A309", "ChromeOS kernel"},
    {"3CB8E202-3B7E-47DD-8A3C-7FF2A13CFCEC", "ChromeOS root"},
    {"48465300-0000-11AA-AA11-00306543ECAC", "Apple HFS+"},
    {"7C3457EF-0000-11AA-AA11-00306543ECAC", "Apple APFS"},
};

// The header's fields that are of use, everything else skipped.
bool TryHeader(bytes::Reader& in, std::string* disk, uint32_t* entry_size) {
  constexpr size_t kBeforeDisk = 48, kBeforeEntrySize = 12, kAfterEntrySize = 4;  // bytes
  ByteView signature, skipped, guid;
  if (!in.TryTake(kSignature.size(), &signature) || AsText(signature) != kSignature ||
      !in.TryTake(kBeforeDisk, &skipped) || !in.TryTake(kGuidBytes, &guid) ||
      !in.TryTake(kBeforeEntrySize, &skipped) || !in.TryU32Le(entry_size) ||
      !in.TryTake(kAfterEntrySize, &skipped)) {
    return false;
  }
  *disk = GuidText(guid);
  return *entry_size >= kEntryFields;
}

std::string NameOf(ByteView utf16) {
  std::optional<std::string> text = Utf8FromUtf16(utf16);
  if (!text.has_value()) return "";
  return text->substr(0, text->find('\0'));
}

bool TryPartition(ByteView entry, Partition* partition) {
  bytes::Reader in(entry);
  ByteView type, unique, name;
  if (!in.TryTake(kGuidBytes, &type) || !in.TryTake(kGuidBytes, &unique) ||
      !in.TryU64Le(&partition->first_lba) || !in.TryU64Le(&partition->last_lba) ||
      !in.TryU64Le(&partition->attributes) || !in.TryTake(kNameBytes, &name)) {
    return false;
  }
  partition->type = GuidText(type);
  partition->unique = GuidText(unique);
  partition->name = NameOf(name);
  return true;
}

}  // namespace

std::optional<PartitionTable> DecodePartitionTable(ByteView event_data) {
  bytes::Reader in(event_data);
  PartitionTable table;
  uint32_t entry_size = 0;
  uint64_t count = 0;
  if (!TryHeader(in, &table.disk, &entry_size) || !in.TryU64Le(&count) || count > kMaxPartitions ||
      count > in.remaining() / entry_size) {
    return std::nullopt;
  }
  table.partitions.resize(static_cast<size_t>(count));
  for (Partition& partition : table.partitions) {
    ByteView entry;
    if (!in.TryTake(entry_size, &entry) || !TryPartition(entry, &partition)) return std::nullopt;
  }
  return table;
}

absl::string_view PartitionTypeName(absl::string_view type_guid) {
  const auto row = std::ranges::find(kTypes, type_guid, &TypeName::guid);
  return row == std::end(kTypes) ? absl::string_view() : row->name;
}

}  // namespace bootgate::eventlog
