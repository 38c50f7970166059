// The Spec ID event: the record that says which form the log has and which banks it carries.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4.5.1 (TCG_EfiSpecIDEvent).
#pragma once

#include <array>
#include <optional>
#include <string>

#include "common/base/bytes_view.h"
#include "common/eventlog/log.h"

namespace bootgate::eventlog {

// One announced bank.
struct BankSize {
  uint16_t tpm_alg = 0;
  uint16_t size = 0;  // bytes, 1..crypto::kMaxDigestSize
};

// What a Spec ID Event03 announces. `problem` empty: all is well. `usable` false: the records that
// follow cannot be told apart.
struct SpecId {
  std::array<BankSize, kMaxBanks> banks{};
  size_t count = 0;
  bool usable = false;
  Reason reason = Reason::kLogSpecId;  // of the problem
  std::string problem;
  ByteView vendor_info;  // borrowed; empty unless it is as long as it says
};

// Whether the event data begins with the signature of a crypto-agile log's header.
bool IsSpecId03(ByteView data);

// Reads the data of a Spec ID Event03. Never looks outside `data`.
SpecId ReadSpecId03(ByteView data);

}  // namespace bootgate::eventlog
