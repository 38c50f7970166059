// What Windows' boot programs measured about the boot: debugging, signing, code integrity,
// virtualisation-based security.
//
// Implements: policy language specification, 6.1 (the Windows claims) and 9 (the records).
//
// A boot program says the same several times, in PCR 12 and 13: of several verified values the
// worst counts. A value that speaks for the host is verified only when every event of the quoted
// PCR 12 and 13 was read and is covered: else the one event that says otherwise could be among
// those that were not.
//
// PCR 12-14 take whatever the running system extends into them. That it was Windows that spoke
// follows from PCR 4 and 7 (and from reference values), not from here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/crypto/hash.h"
#include "common/eventlog/log.h"
#include "gatekeeper/appraisal/notes.h"
#include "gatekeeper/appraisal/tpm_boot/facts.h"

namespace bootgate::gatekeeper::appraisal {

using WindowsFlag = std::optional<tpm_boot::Fact<bool>>;
using WindowsNumber = std::optional<tpm_boot::Fact<uint64_t>>;

struct WindowsFacts {
  WindowsFlag boot_debugging, kernel_debugging, hypervisor_debugging;
  WindowsFlag test_signing, flight_signing;
  WindowsFlag safe_mode, win_pe;
  WindowsFlag code_integrity;
  WindowsFlag vbs_required, iommu_required, secure_boot_required;  // by the policy of VBS
  WindowsFlag boot_dma_protection;
  WindowsFlag secure_launch;      // a dynamic launch (DRTM) extended PCR 19 or 20
  WindowsNumber vsm_launch_type;  // 0: no virtualisation-based security
  WindowsNumber hypervisor_launch_type;
  WindowsNumber hvci_policy;   // 0: off
  WindowsNumber iommu_policy;  // 0: default, 1: on, 2: off
  WindowsNumber smm_level;     // of a dynamic launch
  WindowsNumber boot_counter;
  WindowsNumber bitlocker_unlock;  // flags, see the records' table

  bool present = false;  // a record that the quote covers was read
  bool whole = false;    // all of the quoted PCR 12 and 13 was read and is covered
  std::vector<eventlog::Defect> problems;  // records that cannot be read
};

// `proven_registers`: bit n, register n of this bank follows from the log and was quoted. Total.
WindowsFacts ReadWindowsFacts(const eventlog::Log& log, crypto::HashAlg bank,
                              uint32_t proven_registers);

// The findings about unreadable records, and the claims of section 6.1. What is not established
// gives no claim.
void ReportWindowsBoot(const WindowsFacts& facts, Notes& notes);

}  // namespace bootgate::gatekeeper::appraisal
