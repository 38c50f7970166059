// What the firmware says it did.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4.4 (EV_ACTION, EV_EFI_ACTION
// strings). Matching is exact in length: a longer or shorter string is not the action (attack A45).
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

enum class Action {
  kCallingApplication,          // "Calling EFI Application from Boot Option"
  kReturningFromApplication,    // "Returning from EFI Application from Boot Option"
  kExitBootServicesInvocation,  // "Exit Boot Services Invocation"
  kExitBootServicesFailed,      // "Exit Boot Services Returned with Failure"
  kExitBootServicesSucceeded,   // "Exit Boot Services Returned with Success"
  kDebugMode,                   // "UEFI Debug Mode": a firmware debugger is or may be attached
  kDmaProtectionDisabled,       // "DMA Protection Disabled"
  kSecureBootDisabled,          // legacy profile: "Secure Boot Disabled"
  kCallingInt19h,               // "Calling INT 19h"
  kReturnedInt18h,              // "Returned INT 18h"
  kReturnedViaInt18h,           // "Returned via INT 18h"
  kBootingBcv,  // "Booting BCV Device", then a description: the one string that goes on
  kBootSequenceUserIntervention,
  kChassisIntrusion,
  kPasswordCheck,
  kRomSetup,
  kPhysicalPresence,
};
absl::string_view Name(Action action);  // "uefi_debug_mode", "dma_protection_disabled", ...

// nullopt when the data is no known action. One NUL at the end is allowed.
std::optional<Action> FindAction(ByteView event_data);

}  // namespace bootgate::eventlog
