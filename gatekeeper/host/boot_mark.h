// The boot that evidence was taken in, as the TPM counts it. Its own header: nearly everything that
// is kept of a host refers to one.
#pragma once

#include <cstdint>

namespace bootgate::gatekeeper::host {

struct BootMark {
  uint32_t reset_count = 0;
  uint32_t restart_count = 0;
  uint64_t clock_ms = 0;

  friend bool operator==(const BootMark&, const BootMark&) = default;
};

}  // namespace bootgate::gatekeeper::host
