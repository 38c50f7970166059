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

enum class ShimItem {
  kMokList,         // keys that the machine's owner enrolled
  kMokListX,        // keys and hashes that the owner forbids
  kMokListTrusted,  // whether the owner's keys go into the kernel's keyring
  kMokSbState,      // 1: shim's validation is off
  kMokDbState,      // 1: the firmware's db is not used
  kSbatLevel,       // the levels below which loaders are refused
  kVendorDb,        // keys built into shim
  kShim,            // the key built into shim that let an image run
};

// An event by which shim told of one of its variables: as EV_IPL in PCR 14, which only names it, or
// as a UEFI variable in PCR 7.
struct ShimEvent {
  ShimItem item = ShimItem::kShim;
  ByteView data;          // the variable's content where the log has it; borrowed
  bool has_data = false;  // false for EV_IPL
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
