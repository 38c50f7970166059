// What the registers must be if the log is true.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4.5.3 (StartupLocality), 3.3.
#pragma once

#include "common/eventlog/log.h"
#include "common/registers/bank.h"

namespace bootgate::eventlog {

struct Replay {
  registers::RegisterBank bank;  // registers with at least one extending event
  std::vector<Defect> defects;   // LOG_DIGESTS for events without this bank's digest
};

// EV_NO_ACTION never extends. PCR 0 starts at the startup locality, all else at zeros: also PCR
// 17-22, because a log with events for them tells of a dynamic launch, which has reset them.
Replay ReplayBank(const Log& log, crypto::HashAlg alg);

// The value of one register after each of its events, in order (for "where do they part?"). An
// event without this bank's digest leaves the value as it was.
std::vector<crypto::Digest> Trace(const Log& log, crypto::HashAlg alg, uint32_t register_index);

}  // namespace bootgate::eventlog
