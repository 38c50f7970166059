#include "common/eventlog/decode/tables.h"

#include <algorithm>

#include "common/bytes/reader.h"
#include "common/eventlog/decode/guid.h"
#include "common/eventlog/decode/uefi_text.h"
#include "common/eventlog/event_type.h"

namespace bootgate::eventlog {
namespace {

constexpr GuidName kTables[] = {
    {Guid("eb9d2d30-2d88-11d3-9a16-0090273fc14d"), "ACPI 1.0"},
    {Guid("8868e871-e4f1-11d3-bc22-0080c73c8881"), "ACPI 2.0"},
    {Guid("eb9d2d31-2d88-11d3-9a16-0090273fc14d"), "SMBIOS"},
    {Guid("f2fd1544-9794-4a2c-992e-e5bbcf20e394"), "SMBIOS 3"},
    {Guid("eb9d2d32-2d88-11d3-9a16-0090273fc14d"), "SAL system table"},
    {Guid("eb9d2d2f-2d88-11d3-9a16-0090273fc14d"), "MPS table"},
    {Guid("b1b621d5-f19c-41a5-830b-d9152c69aae0"), "device tree"},
    {Guid("d719b2cb-3d3a-4596-a3bc-dad00e67656f"), "image security database"},
    {Guid("b122a263-3661-4f68-9929-78f8b0d62180"), "system resource table"},

};

constexpr size_t kRowBytes = kGuidBytes + 8;

}  // namespace

std::optional<HandoffTables> DecodeHandoffTables(uint32_t type, ByteView event_data) {
  bytes::Reader in(event_data);
  HandoffTables found;
  if (type == kEvEfiHandoffTables2) {
    uint8_t size = 0;
    ByteView text;
    if (!in.TryU8(&size) || !in.TryTake(size, &text)) return std::nullopt;
    const absl::string_view description = AsText(text);
    found.description = std::string(description.substr(0, description.find('\0')));
  }
  uint64_t count = 0;
  if (!in.TryU64Le(&count) || count > kMaxTables || count > in.remaining() / kRowBytes) {
    return std::nullopt;
  }
  found.tables.resize(static_cast<size_t>(count));
  for (HandoffTable& table : found.tables) {
    ByteView guid;
    if (!in.TryTake(kGuidBytes, &guid) || !in.TryU64Le(&table.address)) return std::nullopt;
    table.guid = GuidText(guid);
    table.name = TableName(guid);
  }
  return found;
}

absl::string_view TableName(ByteView guid) {
  const auto row =
      std::ranges::find_if(kTables, [&](const GuidName& table) { return table.guid == guid; });
  return row == std::end(kTables) ? absl::string_view() : row->name;
}

}  // namespace bootgate::eventlog
