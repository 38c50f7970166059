#include "common/eventlog/event_type.h"

#include <algorithm>

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
    {kEvSCrtmContents, "EV_S_CRTM_CONTENTS", Hashed::kSomething},
    {kEvSCrtmVersion, "EV_S_CRTM_VERSION", Hashed::kWholeData},
    {0x00000009, "EV_CPU_MICROCODE", Hashed::kSomething},
    {0x0000000a, "EV_PLATFORM_CONFIG_FLAGS", Hashed::kSomething},
    {0x0000000b, "EV_TABLE_OF_DEVICES", Hashed::kSomething},
    {kEvCompactHash, "EV_COMPACT_HASH", Hashed::kSomething},
    {kEvIpl, "EV_IPL", Hashed::kBootLoader},
    {0x0000000e, "EV_IPL_PARTITION_DATA", Hashed::kSomething},
    {0x0000000f, "EV_NONHOST_CODE", Hashed::kSomething},
    {0x00000010, "EV_NONHOST_CONFIG", Hashed::kSomething},
    {0x00000011, "EV_NONHOST_INFO", Hashed::kSomething},
    {0x00000012, "EV_OMIT_BOOT_DEVICE_EVENTS", Hashed::kWholeData},
    {0x00000013, "EV_POST_CODE2", Hashed::kSomething},

    {0x00000400, "EV_TXT_EVENT_BASE", Hashed::kSomething},
    {kEvTxtPcrMapping, "EV_TXT_PCR_MAPPING", Hashed::kNothing},
    {kEvTxtHashStart, "EV_TXT_HASH_START", Hashed::kSomething},
    {0x00000403, "EV_TXT_COMBINED_HASH", Hashed::kSomething},
    {0x00000404, "EV_TXT_MLE_HASH", Hashed::kSomething},
    {0x0000040a, "EV_TXT_BIOSAC_REG_DATA", Hashed::kSomething},
    {0x0000040b, "EV_TXT_CPU_SCRTM_STAT", Hashed::kSomething},
    {0x0000040c, "EV_TXT_LCP_CONTROL_HASH", Hashed::kSomething},
    {0x0000040d, "EV_TXT_ELEMENTS_HASH", Hashed::kSomething},
    {0x0000040e, "EV_TXT_STM_HASH", Hashed::kSomething},
    {0x0000040f, "EV_TXT_OSSINITDATA_CAP_HASH", Hashed::kSomething},
    {0x00000410, "EV_TXT_SINIT_PUBKEY_HASH", Hashed::kSomething},
    {0x00000411, "EV_TXT_LCP_HASH", Hashed::kSomething},
    {0x00000412, "EV_TXT_LCP_DETAILS_HASH", Hashed::kSomething},
    {0x00000413, "EV_TXT_LCP_AUTHORITIES_HASH", Hashed::kSomething},
    {0x00000414, "EV_TXT_NV_INFO_HASH", Hashed::kSomething},
    {0x00000415, "EV_TXT_COLD_BOOT_BIOS_HASH", Hashed::kSomething},
    {0x00000416, "EV_TXT_KM_HASH", Hashed::kSomething},
    {0x00000417, "EV_TXT_BPM_HASH", Hashed::kSomething},
    {0x00000418, "EV_TXT_KM_INFO_HASH", Hashed::kSomething},
    {0x00000419, "EV_TXT_BPM_INFO_HASH", Hashed::kSomething},
    {0x0000041a, "EV_TXT_BOOT_POL_HASH", Hashed::kSomething},
    {0x000004fe, "EV_TXT_RANDOM_VALUE", Hashed::kSomething},
    {0x000004ff, "EV_TXT_CAP_VALUE", Hashed::kSomething},
    {0x00000501, "EV_TBOOT_MODULE", Hashed::kSomething},
    {0x00000502, "EV_SLAUNCH", Hashed::kSomething},
    {0x00000503, "EV_SLAUNCH_START", Hashed::kSomething},
    {0x00000504, "EV_SLAUNCH_END", Hashed::kSomething},

    {0x00008001, "EV_AMD_SL_LOAD", Hashed::kSomething},
    {0x00008002, "EV_AMD_SL_PSP_FW_SPLT", Hashed::kSomething},
    {0x00008003, "EV_AMD_SL_TSME_RB_FUSE", Hashed::kSomething},
    {0x00008004, "EV_AMD_SL_PUB_KEY", Hashed::kSomething},
    {0x00008005, "EV_AMD_SL_SVN", Hashed::kSomething},
    {0x00008006, "EV_AMD_SL_LOAD_1", Hashed::kSomething},
    {0x00008007, "EV_AMD_SL_SEPARATOR", Hashed::kSomething},

    {0x00009001, "EV_ARM_DRTM_PCR_SCHEMA", Hashed::kSomething},
    {0x00009002, "EV_ARM_DRTM_DCE", Hashed::kSomething},
    {0x00009003, "EV_ARM_DRTM_DCE_PUBKEY", Hashed::kSomething},
    {0x00009004, "EV_ARM_DRTM_DLME", Hashed::kSomething},
    {0x00009005, "EV_ARM_DRTM_DLME_EP", Hashed::kSomething},
    {0x00009006, "EV_ARM_DRTM_DEBUG_CONFIG", Hashed::kSomething},
    {0x00009007, "EV_ARM_DRTM_NONSECURE_CONFIG", Hashed::kSomething},
    {0x00009008, "EV_ARM_DRTM_DCE_SECONDARY", Hashed::kSomething},
    {0x00009009, "EV_ARM_DRTM_TZFW", Hashed::kSomething},
    {0x0000900a, "EV_ARM_DRTM_SEPARATOR", Hashed::kSomething},

    {0x80000000, "EV_EFI_EVENT_BASE", Hashed::kSomething},
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

static_assert(std::ranges::is_sorted(kTypes, {}, &EventType::number), "looked up by halving");

struct Range {
  uint32_t first;
  uint32_t last;
};
constexpr Range kDynamicLaunchTypes[] = {
    {kEvTxtHashStart, 0x00000504},  // Intel TXT, tboot, Linux Secure Launch
    {0x00008001, 0x00008007},       // AMD Secure Launch
    {0x00009001, 0x0000900a},       // Arm DRTM
};

}  // namespace

const EventType* FindEventType(uint32_t number) {
  const EventType* const row = std::ranges::lower_bound(kTypes, number, {}, &EventType::number);
  return row != std::end(kTypes) && row->number == number ? row : nullptr;
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

// Windows' loader, too, measures into these registers only after its Secure Launch.
bool IsDynamicLaunch(uint32_t type) {
  return type == kEvEventTag ||
         std::ranges::any_of(kDynamicLaunchTypes, [type](const Range& range) {
           return range.first <= type && type <= range.last;
         });
}

}  // namespace bootgate::eventlog
