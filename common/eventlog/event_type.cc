#include "common/eventlog/event_type.h"

#include "absl/strings/str_cat.h"
#include "common/eventlog/log.h"

namespace bootgate::eventlog {
namespace {

constexpr EventType kTypes[] = {
    {0x00000000, "EV_PREBOOT_CERT", Hashed::kSomething},
    {0x00000001, "EV_POST_CODE", Hashed::kSomething},
    {0x00000002, "EV_UNUSED", Hashed::kSomething},
    {kEvNoAction, "EV_NO_ACTION", Hashed::kNothing},
    {kEvSeparator, "EV_SEPARATOR", Hashed::kWholeData},
    {kEvAction, "EV_ACTION", Hashed::kWholeData},
    {kEvEventTag, "EV_EVENT_TAG", Hashed::kSomething},
    {0x00000007, "EV_S_CRTM_CONTENTS", Hashed::kSomething},
    {kEvSCrtmVersion, "EV_S_CRTM_VERSION", Hashed::kWholeData},
    {0x00000009, "EV_CPU_MICROCODE", Hashed::kSomething},
    {0x0000000a, "EV_PLATFORM_CONFIG_FLAGS", Hashed::kSomething},
    {0x0000000b, "EV_TABLE_OF_DEVICES", Hashed::kSomething},
    {0x0000000c, "EV_COMPACT_HASH", Hashed::kSomething},
    {kEvIpl, "EV_IPL", Hashed::kBootLoader},
    {0x0000000e, "EV_IPL_PARTITION_DATA", Hashed::kSomething},
    {0x0000000f, "EV_NONHOST_CODE", Hashed::kSomething},
    {0x00000010, "EV_NONHOST_CONFIG", Hashed::kSomething},
    {0x00000011, "EV_NONHOST_INFO", Hashed::kSomething},
    {0x00000012, "EV_OMIT_BOOT_DEVICE_EVENTS", Hashed::kWholeData},
    {0x00000013, "EV_POST_CODE2", Hashed::kSomething},
    {kEvEfiVariableDriverConfig, "EV_EFI_VARIABLE_DRIVER_CONFIG", Hashed::kWholeData},
    {kEvEfiVariableBoot, "EV_EFI_VARIABLE_BOOT", Hashed::kVariableData},
    {kEvEfiBootServicesApplication, "EV_EFI_BOOT_SERVICES_APPLICATION", Hashed::kSomething},
    {kEvEfiBootServicesDriver, "EV_EFI_BOOT_SERVICES_DRIVER", Hashed::kSomething},
    {kEvEfiRuntimeServicesDriver, "EV_EFI_RUNTIME_SERVICES_DRIVER", Hashed::kSomething},
    {kEvEfiGptEvent, "EV_EFI_GPT_EVENT", Hashed::kWholeData},
    {kEvEfiAction, "EV_EFI_ACTION", Hashed::kWholeData},
    {kEvEfiPlatformFirmwareBlob, "EV_EFI_PLATFORM_FIRMWARE_BLOB", Hashed::kSomething},
    {0x80000009, "EV_EFI_HANDOFF_TABLES", Hashed::kSomething},
    {kEvEfiPlatformFirmwareBlob2, "EV_EFI_PLATFORM_FIRMWARE_BLOB2", Hashed::kSomething},
    {0x8000000b, "EV_EFI_HANDOFF_TABLES2", Hashed::kSomething},
    {kEvEfiVariableBoot2, "EV_EFI_VARIABLE_BOOT2", Hashed::kWholeData},
    {0x8000000d, "EV_EFI_GPT_EVENT2", Hashed::kWholeData},
    {kEvEfiHcrtmEvent, "EV_EFI_HCRTM_EVENT", Hashed::kSomething},
    {kEvEfiVariableAuthority, "EV_EFI_VARIABLE_AUTHORITY", Hashed::kWholeData},
    {0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB", Hashed::kSomething},
    {0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG", Hashed::kSomething},
    {kEvEfiSpdmDevicePolicy, "EV_EFI_SPDM_DEVICE_POLICY", Hashed::kWholeData},
    {kEvEfiSpdmDeviceAuthority, "EV_EFI_SPDM_DEVICE_AUTHORITY", Hashed::kWholeData},
};

}  // namespace

const EventType* FindEventType(uint32_t number) {
  for (const EventType& type : kTypes) {
    if (type.number == number) return &type;
  }
  return nullptr;
}

std::string TypeName(uint32_t type) {
  const EventType* const row = FindEventType(type);
  if (row != nullptr) return std::string(row->name);
  return absl::StrCat("UNKNOWN(0x", absl::Hex(type, absl::kZeroPad8), ")");
}

bool IsUefiVariable(uint32_t type) {
  return type == kEvEfiVariableDriverConfig || type == kEvEfiVariableBoot ||
         type == kEvEfiVariableBoot2 || type == kEvEfiVariableAuthority ||
         type == kEvEfiSpdmDevicePolicy || type == kEvEfiSpdmDeviceAuthority;
}

bool IsImageLoad(uint32_t type) {
  return type == kEvEfiBootServicesApplication || type == kEvEfiBootServicesDriver ||
         type == kEvEfiRuntimeServicesDriver;
}

}  // namespace bootgate::eventlog
