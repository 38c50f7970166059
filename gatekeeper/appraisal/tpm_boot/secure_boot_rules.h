// What the UEFI variables of proven registers may be (attacks A39, A40, A45).
//
// Implements: UEFI 2.10, 32.4 (signature lists), 3.3 (global variables); TCG PC Client Platform
// Firmware Profile 1.06, 3.3.4.8.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "common/eventlog/decode/variable.h"
#include "gatekeeper/appraisal/tpm_boot/context.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

// Which variable of Secure Boot this is: SecureBoot, PK, KEK, db, dbx, dbt, dbr under the GUID that
// UEFI gives it. A name under anybody else's GUID is none. Empty: none.
absl::string_view SecureBootVariableName(const eventlog::UefiVariable& variable);

// SecureBoot and the key lists, measured as configuration into PCR 7.
bool IsSecureBootConfiguration(const eventlog::Event& event);

// A variable of shim's (MokList, ...), which it measures after the firmware's phase.
bool IsShimVariable(const eventlog::Event& event);

// LOG_STRING, LOG_SB_DUPLICATE, LOG_ESL, and LOG_UNEXPECTED_TYPE where the data is no variable at
// all. `proven`: bit n, register n.
void CheckVariables(const Context& context, uint32_t proven);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
