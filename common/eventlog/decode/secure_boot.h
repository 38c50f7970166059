// Secure Boot as a boot log tells it.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 3.3.4.8 (PCR 7); UEFI 2.10, 32.
#pragma once

#include <optional>

#include "common/eventlog/log.h"

namespace bootgate::eventlog {

// What the log's covered SecureBoot variable in PCR 7 says; nullopt when it does not, when there
// are several, when it comes after the separator, or when no digest covers it.
std::optional<bool> SecureBootState(const Log& log, crypto::HashAlg alg);

}  // namespace bootgate::eventlog
