// Time, as a collaborator: the core never asks the machine.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace bootgate {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;  // wall clock, UTC
};

// The machine's clock. Never destroyed.
const Clock& SystemClock();

// RFC 3339 in UTC, whole seconds: "2026-11-22T11:45:00Z".
std::string FormatUtc(absl::Time time);

}  // namespace bootgate
