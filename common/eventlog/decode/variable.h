// A UEFI variable event with its name as text.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2.6 (UEFI_VARIABLE_DATA).
#pragma once

#include <optional>
#include <string>

#include "common/eventlog/log.h"

namespace bootgate::eventlog {

struct UefiVariable {
  std::string guid;  // upper case: "8BE4DF61-93CA-11D2-AA0D-00E098032B8C"
  std::string name;  // UTF-8, not escaped
  ByteView data;     // borrowed from the log
};

// nullopt when the event's type is not one of a variable, when a part lies outside its data, or
// when the name is no UTF-16.
std::optional<UefiVariable> DecodeUefiVariable(const Event& event);

}  // namespace bootgate::eventlog
