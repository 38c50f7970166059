// Tagged events: a number that says who measured, and text or bytes.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2.4 (TCG_PCClientTaggedEvent); the
// tags of the Linux EFI stub and of systemd.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

inline constexpr uint32_t kTagLinuxInitrd = 0x8f3b22ec;       // "Linux initrd"
inline constexpr uint32_t kTagLinuxLoadOptions = 0x8f3b22ed;  // "LOADED_IMAGE::LoadOptions"
inline constexpr uint32_t kTagSystemdLoaderConf = 0xf5bc582a;
inline constexpr uint32_t kTagSystemdDeviceTree = 0x6c46f751;
inline constexpr uint32_t kTagSystemdInitrd = 0x49dffe0f;
inline constexpr uint32_t kTagSystemdUcode = 0xdac08e1a;

struct TaggedEvent {
  uint32_t id = 0;
  ByteView data;           // borrowed
  bool exact = false;      // nothing follows it
  absl::string_view name;  // "Linux initrd"; empty for a tag without a name
};

// The first tagged record of the data. nullopt when it is too short for what it announces.
std::optional<TaggedEvent> DecodeTaggedEvent(ByteView event_data);

}  // namespace bootgate::eventlog
