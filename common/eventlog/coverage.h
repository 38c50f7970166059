// Whether an event's data is what its digest was made from.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4.1 (what each type's digest is of);
// GRUB's, shim's and systemd's use of EV_IPL.
#pragma once

#include "common/eventlog/log.h"

namespace bootgate::eventlog {

//   kCovered      the digest is the hash of the data (of the part of it that the type defines)
//   kNotCovered   by the event's type the digest is of something else: the data is a description
//   kMismatch     the type demands a hash of the data, and the digest is not that
enum class Coverage { kCovered, kNotCovered, kMismatch };
Coverage CoverageOf(const Log& log, const Event& event, crypto::HashAlg alg);

}  // namespace bootgate::eventlog
