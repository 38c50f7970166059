// One of several boot logs.
//
// A host may hold more than one log of one power-on: Windows keeps a log for every resume from
// hibernation beside the one of the cold boot. A resume from hibernation is a boot of its own: the
// platform was off, the registers began anew, and each log tells of all events from the first on.
// They are not parts to be put together; at most one of them is the one that the TPM stands at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "common/eventlog/log.h"
#include "common/registers/bank.h"

namespace bootgate::eventlog {

// How one log fits. Bit n: PCR n; registers that were not quoted, or that the log has no event
// for, are in neither mask.
struct LogFit {
  uint32_t matched = 0;
  uint32_t differing = 0;

  bool Explains() const { return differing == 0 && matched != 0; }
};

LogFit FitOf(const Log& log, const registers::RegisterBank& quoted);

// The number of the log that leads to all quoted registers it has events for; nullopt when none
// does. When several do, the last: a log of a later start, and logs are handed over in order.
std::optional<size_t> FindExplaining(std::span<const Log> logs,
                                     const registers::RegisterBank& quoted);

}  // namespace bootgate::eventlog
