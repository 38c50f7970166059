// Pieces of firmware by address or name.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2.1 (UEFI_PLATFORM_FIRMWARE_BLOB,
// UEFI_PLATFORM_FIRMWARE_BLOB2), 10.4.1 (EV_S_CRTM_CONTENTS, EV_S_CRTM_VERSION, EV_POST_CODE,
// EV_EFI_HCRTM_EVENT).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/eventlog/log.h"

namespace bootgate::eventlog {

struct FirmwareBlob {
  std::string description;  // as the firmware wrote it, not escaped; empty when it has none
  uint64_t base = 0;        // address
  uint64_t size = 0;        // bytes
};

// Data of EV_EFI_PLATFORM_FIRMWARE_BLOB (base and size) or ..._BLOB2 (description before them);
// also of EV_POST_CODE(2) and EV_S_CRTM_CONTENTS where they have that form. nullopt otherwise.
std::optional<FirmwareBlob> DecodeFirmwareBlob(ByteView event_data);

// The text of EV_S_CRTM_VERSION: UTF-16, ASCII, or a GUID. "" when it is none of them.
std::string FirmwareVersion(ByteView event_data);

// The text of EV_POST_CODE(2), EV_S_CRTM_CONTENTS, EV_EFI_HCRTM_EVENT, EV_CPU_MICROCODE and the
// like where they hold one ("POST CODE", "ACPI DATA", "HCRTM"). "" otherwise. Not escaped.
std::string FirmwareText(ByteView event_data);

// The text that the data begins with, up to a NUL: EV_NONHOST_INFO, EV_PLATFORM_CONFIG_FLAGS and
// the like name themselves so before their bytes. "" when it has no such beginning.
std::string LeadingText(ByteView event_data);

}  // namespace bootgate::eventlog
