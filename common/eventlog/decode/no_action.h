// Notes in the log that extend nothing: EV_NO_ACTION. Nothing of them is ever covered by a digest.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4.5 (Spec ID, StartupLocality,
// SP800-155 events, H-CRTM component events).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

enum class NoteKind {
  kSpecId00,         // "Spec ID Event00": BIOS, conventional
  kSpecId02,         // "Spec ID Event02": EFI, SHA-1
  kSpecId03,         // "Spec ID Event03": crypto-agile
  kStartupLocality,  // `locality`
  kPlatformId,       // "SP800-155 Event": `manifest_guid`
  kPlatformId2,      // "SP800-155 Event2": with vendor, model, firmware
  kPlatformId3,      // "SP800-155 Event3"
  kHcrtmComponent,   // "H-CRTM CompMeas"
  kWindowsBoot,      // Windows records inside, see the room beside this one
  kOther,
};
absl::string_view Name(NoteKind kind);

struct Note {
  NoteKind kind = NoteKind::kOther;
  uint8_t locality = 0;          // kStartupLocality
  std::string manifest_guid;     // kPlatformId...: upper case
  uint32_t platform_vendor = 0;  // kPlatformId...: IANA number
  // kPlatformId2 and 3, as written, not escaped
  std::string platform_manufacturer;
  std::string platform_model;
  std::string platform_version;
  std::string firmware_manufacturer;
  std::string firmware_version;
  bool complete = false;  // all that the kind has could be read
};

Note DecodeNote(ByteView event_data);

}  // namespace bootgate::eventlog
