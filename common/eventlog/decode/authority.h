// Which key let an image run.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 3.3.4.8 and 10.2.6
// (EV_EFI_VARIABLE_AUTHORITY); shim's use of it.
#pragma once

#include <optional>
#include <string>

#include "common/eventlog/decode/signature_list.h"
#include "common/eventlog/log.h"

namespace bootgate::eventlog {

struct Authority {
  std::string guid;      // of the variable, upper case
  std::string variable;  // "db", "MokList", "Shim", "SbatLevel"; UTF-8, not escaped
  ByteView data;         // as measured; borrowed
  // The certificate or hash that matched, where the data is one (with or without an owner).
  std::optional<SignatureEntry> signature;
};

// nullopt when the event is no EV_EFI_VARIABLE_AUTHORITY or cannot be read.
std::optional<Authority> DecodeAuthority(const Event& event);

}  // namespace bootgate::eventlog
