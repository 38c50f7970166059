#include "common/eventlog/decode/action.h"

#include "absl/strings/match.h"

namespace bootgate::eventlog {
namespace {

enum class Match { kWhole, kBeginning };

struct Row {
  Action action;
  absl::string_view name;
  absl::string_view text;
  Match match;
};

constexpr Row kRows[] = {
    {Action::kCallingApplication, "calling_application", "Calling EFI Application from Boot Option",
     Match::kWhole},
    {Action::kReturningFromApplication, "returning_from_application",
     "Returning from EFI Application from Boot Option", Match::kWhole},
    {Action::kExitBootServicesInvocation, "exit_boot_services_invocation",
     "Exit Boot Services Invocation", Match::kWhole},
    {Action::kExitBootServicesFailed, "exit_boot_services_failed",
     "Exit Boot Services Returned with Failure", Match::kWhole},
    {Action::kExitBootServicesSucceeded, "exit_boot_services_succeeded",
     "Exit Boot Services Returned with Success", Match::kWhole},
    {Action::kDebugMode, "uefi_debug_mode", "UEFI Debug Mode", Match::kWhole},
    {Action::kDmaProtectionDisabled, "dma_protection_disabled", "DMA Protection Disabled",
     Match::kWhole},
    {Action::kSecureBootDisabled, "secure_boot_disabled", "Secure Boot Disabled", Match::kWhole},
    {Action::kCallingInt19h, "calling_int_19h", "Calling INT 19h", Match::kWhole},
    {Action::kReturnedInt18h, "returned_int_18h", "Returned INT 18h", Match::kWhole},
    {Action::kReturnedViaInt18h, "returned_via_int_18h", "Returned via INT 18h", Match::kWhole},
    {Action::kBootingBcv, "booting_bcv", "Booting BCV Device", Match::kBeginning},
    {Action::kBootSequenceUserIntervention, "boot_sequence_user_intervention",
     "Boot Sequence User Intervention", Match::kWhole},
    {Action::kChassisIntrusion, "chassis_intrusion", "Chassis Intrusion", Match::kWhole},
    {Action::kPasswordCheck, "password_check", "User Password", Match::kBeginning},
    {Action::kRomSetup, "rom_setup", "Entering ROM Based Setup", Match::kWhole},
    {Action::kPhysicalPresence, "physical_presence", "Physical Presence", Match::kBeginning},
};

}  // namespace

absl::string_view Name(Action action) {
  for (const Row& row : kRows) {
    if (row.action == action) return row.name;
  }
  __builtin_unreachable();
}

std::optional<Action> FindAction(ByteView event_data) {
  absl::string_view text = AsText(event_data);
  if (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  for (const Row& row : kRows) {
    const bool matches =
        row.match == Match::kWhole ? text == row.text : absl::StartsWith(text, row.text);
    if (matches) return row.action;
  }
  return std::nullopt;
}

}  // namespace bootgate::eventlog
