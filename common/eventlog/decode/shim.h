// What shim adds to the log: its own key lists and the levels below which it refuses a loader.
//
// Implements: shim's measurements into PCR 7 and 14 (MokList, MokListX, MokListTrusted,
// MokSBState, SbatLevel, Shim); SBAT's revocation text.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/eventlog/log.h"

namespace bootgate::eventlog {

enum class ShimItem { kMokList, kMokListX, kMokListTrusted, kMokSbState, kSbatLevel, kShim };

// An event by which shim told of one of its variables, as EV_IPL (PCR 14: only the name, or the
// name and the data is not in the log) or as a UEFI variable (PCR 7).
struct ShimEvent {
  ShimItem item = ShimItem::kShim;
  ByteView data;          // the variable's content where the log has it; borrowed
  bool has_data = false;  // an EV_IPL event only names the variable
};
std::optional<ShimEvent> DecodeShimEvent(const Event& event);
absl::string_view Name(ShimItem item);  // "MokList", ...

inline constexpr size_t kMaxSbatRows = 256;

struct SbatRow {
  absl::string_view component;  // "grub"
  uint32_t generation = 0;      // loaders below it are refused
};

// "sbat,1,2021030218\nshim,2\ngrub,3\n". Borrows the text.
struct SbatLevel {
  absl::string_view day;      // "2021030218": the level's name, a date and a number; or empty
  std::vector<SbatRow> rows;  // "sbat" itself included
};
// nullopt when a line is no "name,number[,...]" or there are more than kMaxSbatRows.
std::optional<SbatLevel> ReadSbatLevel(ByteView text);

}  // namespace bootgate::eventlog
