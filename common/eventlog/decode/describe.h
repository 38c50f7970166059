// What an event's data says, in one line for an operator.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4 (event types), over the decoders
// beside it.
#pragma once

#include <string>

#include "common/eventlog/log.h"

namespace bootgate::eventlog {

// One line for an operator: "SecureBoot = 00 (off)", "kernel command line: /vmlinuz ...",
// "image load, 913408 bytes, \EFI\debian\shimx64.efi". Escaped; says "(not covered by the digest)"
// where so.
std::string Describe(const Log& log, const Event& event, crypto::HashAlg alg);

// A short stable key of what the event is about, to pair events of two boots: "var:SecureBoot",
// "ipl:kernel_cmdline", "image:...". Escaped. Empty: pair by position.
std::string PairingKey(const Event& event);

}  // namespace bootgate::eventlog
