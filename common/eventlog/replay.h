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

// What a register held before its first event.
//   kZeros          as the platform's reset leaves it, and every register of a confidential machine
//   kLocality       PCR 0: zeros and the startup locality
//   kOnes           PCR 17-22 as long as there was no dynamic launch: all ones
//   kDynamicLaunch  PCR 17-22: zeros, the launch that the log tells of has reset them
enum class StartValue { kZeros, kLocality, kOnes, kDynamicLaunch };
StartValue StartOf(const Log& log, uint32_t register_index);
crypto::Digest ValueAtStart(const Log& log, crypto::HashAlg alg, uint32_t register_index);

// EV_NO_ACTION never extends. Registers begin as StartOf says.
Replay ReplayBank(const Log& log, crypto::HashAlg alg);

// The same with other values to begin with, for "which start would make it fit?". Registers that
// `starts` does not know begin as StartOf says.
Replay ReplayBankFrom(const Log& log, const registers::RegisterBank& starts);

// The value of one register after each of its events, in order (for "where do they part?"). An
// event without this bank's digest leaves the value as it was.
std::vector<crypto::Digest> Trace(const Log& log, crypto::HashAlg alg, uint32_t register_index);

}  // namespace bootgate::eventlog
