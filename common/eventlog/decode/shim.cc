#include "common/eventlog/decode/shim.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/eventlog/decode/guid.h"
#include "common/eventlog/decode/uefi_text.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/uefi_variable.h"

namespace bootgate::eventlog {
namespace {

constexpr Guid kShimGuid("605dab50-e046-4300-abb6-3dd810dd8b23");
constexpr Guid kImageSecurityGuid("d719b2cb-3d3a-4596-a3bc-dad00e67656f");

struct ItemRow {
  absl::string_view name;
  ShimItem item;
};

// The first row of an item is its name.
constexpr ItemRow kItems[] = {
    {"MokList", ShimItem::kMokList},
    {"MokListRT", ShimItem::kMokList},
    {"MokListX", ShimItem::kMokListX},
    {"MokListXRT", ShimItem::kMokListX},
    {"MokListTrusted", ShimItem::kMokListTrusted},
    {"MokListTrustedRT", ShimItem::kMokListTrusted},
    {"MokSBState", ShimItem::kMokSbState},
    {"MokSBStateRT", ShimItem::kMokSbState},
    {"MokDBState", ShimItem::kMokDbState},
    {"MokIgnoreDB", ShimItem::kMokDbState},
    {"SbatLevel", ShimItem::kSbatLevel},
    {"SbatLevelRT", ShimItem::kSbatLevel},
    {"vendor_db", ShimItem::kVendorDb},
    {"Shim", ShimItem::kShim},
};

std::optional<ShimItem> FindItem(absl::string_view name) {
  const auto row = std::ranges::find(kItems, name, &ItemRow::name);
  if (row == std::end(kItems)) return std::nullopt;
  return row->item;
}

std::optional<ShimEvent> FromIpl(ByteView data) {
  absl::string_view name = AsText(data);
  while (!name.empty() && name.back() == '\0') name.remove_suffix(1);
  const std::optional<ShimItem> item = FindItem(name);
  if (!item.has_value()) return std::nullopt;
  return ShimEvent{.item = *item};
}

std::optional<ShimEvent> FromVariable(ByteView event_data) {
  const std::optional<UefiVariableParts> parts = SplitUefiVariable(event_data);
  if (!parts.has_value()) return std::nullopt;
  const std::optional<std::string> name = Utf8FromUtf16(parts->name);
  const std::optional<ShimItem> item = FindItem(name.value_or(""));
  if (!item.has_value()) return std::nullopt;
  const bool by_shim = kShimGuid == parts->guid ||
                       (*item == ShimItem::kVendorDb && kImageSecurityGuid == parts->guid);
  if (!by_shim) return std::nullopt;
  return ShimEvent{.item = *item, .data = parts->data, .has_data = true};
}

bool TryRow(absl::string_view line, SbatLevel* level) {
  const std::pair<absl::string_view, absl::string_view> halves =
      absl::StrSplit(line, absl::MaxSplits(',', 1));
  const std::pair<absl::string_view, absl::string_view> rest =
      absl::StrSplit(halves.second, absl::MaxSplits(',', 1));
  SbatRow row{.component = halves.first};
  if (row.component.empty() || !absl::SimpleAtoi(rest.first, &row.generation)) return false;
  if (row.component == "sbat" && level->rows.empty()) level->day = rest.second;
  level->rows.push_back(row);
  return true;
}

}  // namespace

std::optional<ShimEvent> DecodeShimEvent(const Event& event) {
  if (event.untrusted_type == kEvIpl) return FromIpl(event.data);
  if (IsUefiVariable(event.untrusted_type)) return FromVariable(event.data);
  return std::nullopt;
}

absl::string_view Name(ShimItem item) {
  return std::ranges::find(kItems, item, &ItemRow::item)->name;
}

std::optional<SbatLevel> ReadSbatLevel(ByteView text) {
  SbatLevel level;
  absl::string_view rest = AsText(text);
  while (!rest.empty() && rest.back() == '\0') rest.remove_suffix(1);
  for (const absl::string_view line : absl::StrSplit(rest, '\n', absl::SkipEmpty())) {
    if (level.rows.size() >= kMaxSbatRows || !TryRow(line, &level)) return std::nullopt;
  }
  if (level.rows.empty()) return std::nullopt;
  return level;
}

}  // namespace bootgate::eventlog
