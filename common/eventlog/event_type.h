// The event types by number: their names, and what their digests are made from.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4.1 (table of event types); Intel
// TXT Software Development Guide, appendix F (types of a measured launch); Windows SDK, wbcl.h (the
// same and AMD Secure Launch); Arm DRTM Architecture (DEN0113), event types; tboot; Linux Secure
// Launch.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace bootgate::eventlog {

inline constexpr uint32_t kEvPostCode = 0x00000001;
inline constexpr uint32_t kEvSeparator = 0x00000004;
inline constexpr uint32_t kEvAction = 0x00000005;
inline constexpr uint32_t kEvEventTag = 0x00000006;
inline constexpr uint32_t kEvSCrtmContents = 0x00000007;
inline constexpr uint32_t kEvSCrtmVersion = 0x00000008;
inline constexpr uint32_t kEvCompactHash = 0x0000000c;
inline constexpr uint32_t kEvIpl = 0x0000000d;
inline constexpr uint32_t kEvPostCode2 = 0x00000013;
inline constexpr uint32_t kEvTxtHashStart = 0x00000402;
inline constexpr uint32_t kEvEfiVariableDriverConfig = 0x80000001;
inline constexpr uint32_t kEvEfiVariableBoot = 0x80000002;
inline constexpr uint32_t kEvEfiBootServicesApplication = 0x80000003;
inline constexpr uint32_t kEvEfiBootServicesDriver = 0x80000004;
inline constexpr uint32_t kEvEfiRuntimeServicesDriver = 0x80000005;
inline constexpr uint32_t kEvEfiGptEvent = 0x80000006;
inline constexpr uint32_t kEvEfiAction = 0x80000007;
inline constexpr uint32_t kEvEfiPlatformFirmwareBlob = 0x80000008;
inline constexpr uint32_t kEvEfiHandoffTables = 0x80000009;
inline constexpr uint32_t kEvEfiPlatformFirmwareBlob2 = 0x8000000a;
inline constexpr uint32_t kEvEfiHandoffTables2 = 0x8000000b;
inline constexpr uint32_t kEvEfiVariableBoot2 = 0x8000000c;
inline constexpr uint32_t kEvEfiGptEvent2 = 0x8000000d;
inline constexpr uint32_t kEvEfiVariableAuthority = 0x800000e0;
inline constexpr uint32_t kEvEfiSpdmFirmwareBlob = 0x800000e1;
inline constexpr uint32_t kEvEfiSpdmFirmwareConfig = 0x800000e2;
inline constexpr uint32_t kEvEfiSpdmDevicePolicy = 0x800000e3;
inline constexpr uint32_t kEvEfiSpdmDeviceAuthority = 0x800000e4;

// What a type's digest is of.
enum class Hashed {
  kNothing,       // never extended
  kWholeData,     // the event data, all of it
  kVariableData,  // the content of the UEFI variable in the data
  kBootLoader,    // EV_IPL: a text in the data, or something that the data only names
  kSomething,     // what the data describes; a few firmwares hash the data itself
};

struct EventType {
  uint32_t number;
  absl::string_view name;
  Hashed hashed;
};

// nullptr for a number without a name.
const EventType* FindEventType(uint32_t number);

// "EV_EFI_VARIABLE_DRIVER_CONFIG"; "UNKNOWN(0x........)" for a number without a name.
std::string TypeName(uint32_t type);

// Whether the type's data is a UEFI_VARIABLE_DATA.
bool IsUefiVariable(uint32_t type);

// Whether the type's data is a UEFI_IMAGE_LOAD_EVENT.
bool IsImageLoad(uint32_t type);

// Whether events of the type in PCR 17-22 come from a dynamic launch.
bool IsDynamicLaunch(uint32_t type);

}  // namespace bootgate::eventlog
