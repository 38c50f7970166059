// UEFI variable events in one line.
#pragma once

#include <string>

#include "common/eventlog/log.h"

namespace bootgate::eventlog {

// "SecureBoot = 00 (off)", "db: 2 certificates: CN=..., CN=..., 0 hashes", "Boot0001: debian,
// HD(1,GPT,...)/\EFI\debian\shimx64.efi", "db authority: CN=Microsoft Corporation UEFI CA 2011".
// Escaped; what the event's type says is not checked.
std::string VariableWords(const Event& event);

}  // namespace bootgate::eventlog
