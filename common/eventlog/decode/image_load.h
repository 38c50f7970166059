// Where a measured image came from.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2.3 (UEFI_IMAGE_LOAD_EVENT); UEFI
// 2.10, 10.3 (device paths).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

struct ImageLoad {
  uint64_t address = 0;  // in memory
  uint64_t size = 0;     // bytes of the image in memory
  uint64_t link_time_address = 0;
  std::string file_path;  // "\EFI\debian\shimx64.efi"; empty when the device path names no file
  std::string location;   // the whole device path as text; empty when there is none
  std::string partition;  // GUID of the GPT partition on the path, upper case; or empty
  ByteView device_path;   // borrowed
};

// nullopt when the event data is too short for what it announces.
std::optional<ImageLoad> DecodeImageLoad(ByteView event_data);

}  // namespace bootgate::eventlog
