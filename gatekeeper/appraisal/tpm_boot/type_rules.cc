#include "gatekeeper/appraisal/tpm_boot/type_rules.h"

#include <initializer_list>

#include "common/eventlog/event_type.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using namespace eventlog;  // the types' numbers

constexpr uint32_t Pcr(std::initializer_list<uint32_t> indices) {
  uint32_t mask = 0;
  for (const uint32_t index : indices) mask |= uint32_t{1} << index;
  return mask;
}

// PCR 8-15 belong to boot loader and operating system, 16 and 23 to debuggers and applications.
constexpr uint32_t kSystem = 0x0081ff00;
constexpr uint32_t kDynamic = 0x007e0000;  // PCR 17-22

// Types that event_type.h does not name.
constexpr uint32_t kEvPostCode = 0x01;
constexpr uint32_t kEvSCrtmContents = 0x07;
constexpr uint32_t kEvCpuMicrocode = 0x09;
constexpr uint32_t kEvPlatformConfigFlags = 0x0a;
constexpr uint32_t kEvTableOfDevices = 0x0b;
constexpr uint32_t kEvCompactHash = 0x0c;
constexpr uint32_t kEvIplPartitionData = 0x0e;
constexpr uint32_t kEvNonhostCode = 0x0f;
constexpr uint32_t kEvNonhostConfig = 0x10;
constexpr uint32_t kEvNonhostInfo = 0x11;
constexpr uint32_t kEvOmitBootDeviceEvents = 0x12;
constexpr uint32_t kEvPostCode2 = 0x13;
constexpr uint32_t kEvEfiHandoffTables = 0x80000009;
constexpr uint32_t kEvEfiHandoffTables2 = 0x8000000b;
constexpr uint32_t kEvEfiGptEvent2 = 0x8000000d;
constexpr uint32_t kEvEfiSpdmFirmwareBlob = 0x800000e1;
constexpr uint32_t kEvEfiSpdmFirmwareConfig = 0x800000e2;

struct TypeRule {
  uint32_t type;
  uint32_t registers;    // where it may stand
  uint32_t after;        // of PCR 0-7: where it may also follow the separator
  uint32_t legacy_only;  // where it may stand only when a BIOS wrote the log
};

// EV_PREBOOT_CERT, EV_UNUSED and the base numbers 0x80000000 and 0x400 are reserved: no row.
constexpr TypeRule kRules[] = {
    {kEvPostCode, Pcr({0, 2}), 0, 0},
    {kEvSeparator, 0xff | kSystem, 0xff, 0},
    {kEvAction, Pcr({1, 2, 3, 4, 5, 6}), Pcr({4, 5}), 0},
    {kEvEventTag, Pcr({1, 2, 3, 4, 5, 6}) | kSystem, Pcr({4, 5}), 0},
    {kEvSCrtmContents, Pcr({0}), 0, 0},
    {kEvSCrtmVersion, Pcr({0}), 0, 0},
    {kEvCpuMicrocode, Pcr({0, 1}), 0, 0},
    {kEvPlatformConfigFlags, Pcr({0, 1}), Pcr({1}), 0},
    {kEvTableOfDevices, Pcr({1, 3}), 0, 0},
    {kEvCompactHash, Pcr({4, 5, 6}) | kSystem, Pcr({4, 5}), Pcr({4, 5})},
    {kEvIpl, Pcr({4, 5}) | kSystem, Pcr({4, 5}), Pcr({4})},
    {kEvIplPartitionData, Pcr({5}), Pcr({5}), 0},
    {kEvNonhostCode, Pcr({0, 2}), 0, 0},
    {kEvNonhostConfig, Pcr({1, 3}), 0, 0},
    {kEvNonhostInfo, Pcr({0, 1, 2, 3}), 0, 0},
    {kEvOmitBootDeviceEvents, Pcr({4}), Pcr({4}), 0},
    {kEvPostCode2, Pcr({0, 2}), 0, 0},
    {kEvEfiVariableDriverConfig, Pcr({1, 3, 5, 7}), Pcr({1, 7}), 0},
    {kEvEfiVariableBoot, Pcr({1, 5}), Pcr({1, 5}), 0},
    {kEvEfiVariableBoot2, Pcr({1, 5}), Pcr({1, 5}), 0},
    {kEvEfiBootServicesApplication, Pcr({2, 4}), Pcr({4}), 0},
    {kEvEfiBootServicesDriver, Pcr({0, 2}), 0, 0},
    {kEvEfiRuntimeServicesDriver, Pcr({0, 2}), 0, 0},
    {kEvEfiGptEvent, Pcr({5}), Pcr({5}), 0},
    {kEvEfiGptEvent2, Pcr({5}), Pcr({5}), 0},
    {kEvEfiAction, Pcr({1, 2, 3, 4, 5, 6, 7}) | kSystem, Pcr({4, 5, 7}), 0},
    {kEvEfiPlatformFirmwareBlob, Pcr({0, 1, 2}), 0, 0},
    {kEvEfiPlatformFirmwareBlob2, Pcr({0, 1, 2}), 0, 0},
    {kEvEfiHandoffTables, Pcr({0, 1}), Pcr({1}), 0},
    {kEvEfiHandoffTables2, Pcr({0, 1}), Pcr({1}), 0},
    {kEvEfiHcrtmEvent, Pcr({0}), 0, 0},
    {kEvEfiVariableAuthority, Pcr({7}), Pcr({7}), 0},
    {kEvEfiSpdmFirmwareBlob, Pcr({2}), 0, 0},
    {kEvEfiSpdmFirmwareConfig, Pcr({3}), 0, 0},
    {kEvEfiSpdmDevicePolicy, Pcr({7}), 0, 0},
    {kEvEfiSpdmDeviceAuthority, Pcr({7}), Pcr({7}), 0},
};

// Intel TXT's events: of the dynamic launch, and of the startup module that measures the firmware.
constexpr uint32_t kTxtFirst = 0x401, kTxtLast = 0x501;
constexpr TypeRule kTxtRule = {0, kDynamic | 0x1, 0, 0};

const TypeRule* FindRule(uint32_t type) {
  if (type >= kTxtFirst && type <= kTxtLast) return &kTxtRule;
  for (const TypeRule& rule : kRules) {
    if (rule.type == type) return &rule;
  }
  return nullptr;
}

bool Has(uint32_t mask, uint32_t index) { return index < 32 && ((mask >> index) & 1u) != 0; }

}  // namespace

Place PlaceOf(uint32_t type, uint32_t register_index, bool legacy) {
  const TypeRule* const rule = FindRule(type);
  if (rule == nullptr) return Place::kUnknownType;
  if (!Has(rule->registers, register_index)) return Place::kForeignRegister;
  return !legacy && Has(rule->legacy_only, register_index) ? Place::kForeignRegister : Place::kFits;
}

After AfterSeparator(uint32_t type, uint32_t register_index) {
  const bool driver = type == kEvEfiBootServicesDriver || type == kEvEfiRuntimeServicesDriver;
  if (driver && register_index == 2) return After::kUnusual;
  const TypeRule* const rule = FindRule(type);
  return rule != nullptr && Has(rule->after, register_index) ? After::kAllowed : After::kRefused;
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
