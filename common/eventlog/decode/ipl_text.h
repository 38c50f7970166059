// The text of an EV_IPL event for people.
//
// Implements: GRUB's and shim's use of EV_IPL (bytes); systemd-boot's and systemd-stub's (UTF-16).
#pragma once

#include <string>

#include "common/eventlog/ipl.h"

namespace bootgate::eventlog {

// From UTF-16 where the data is such, else the bytes. Not escaped.
std::string IplText(const IplParts& parts, ByteView event_data);

}  // namespace bootgate::eventlog
