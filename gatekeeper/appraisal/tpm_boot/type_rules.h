// Which event types may stand in which register, and which of them after its separator.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 3.3.4 (what each PCR holds) and 10.4.1
// (event types); what shim, GRUB, systemd and Windows measure into PCR 4-14.
//
// An event's type is not authenticated (attack A36): whoever changes it changes how the event is
// read. So a type that does not belong into its register is an error, never something to skip.
#pragma once

#include <cstdint>

#include "common/eventlog/log.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

enum class Place {
  kFits,
  kUnknownType,      // no specification that we know has this number
  kForeignRegister,  // the type belongs elsewhere
};

// Where an event that extends may stand. `legacy`: the log is of a BIOS, whose boot sector is
// measured into PCR 4 and 5.
Place PlaceOf(uint32_t type, uint32_t register_index, bool legacy);

enum class After {
  kAllowed,
  kUnusual,  // a driver that a boot loader started: told, not refused
  kRefused,  // only the firmware's own phase measures this
};

// For PCR 0-7: whether the type may follow the register's separator.
After AfterSeparator(uint32_t type, uint32_t register_index);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
