// What every part of the boot log's appraisal looks at, and where it says what it found.
#pragma once

#include "common/eventlog/log.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/appraisal/boot.h"
#include "gatekeeper/appraisal/notes.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

inline constexpr uint32_t kImaRegister = 10;
inline constexpr uint32_t kSecureBootRegister = 7;
inline constexpr uint32_t kFirmwareRegisters = 8;  // PCR 0-7: what the firmware must extend itself
inline constexpr uint32_t kFirmwareMask = 0xff;

struct Context {
  const tpm2::QuotedPcrs& quoted;
  const eventlog::Log& log;
  const BootOptions& options;
  Notes& notes;
};

// Whether a verdict may rest on the bank.
bool IsAllowed(const Context& context, crypto::HashAlg alg);

inline bool Has(uint32_t mask, uint32_t index) { return index < 32 && ((mask >> index) & 1u) != 0; }

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
