#include "agent/client/backoff.h"

#include <algorithm>
#include <limits>

namespace bootgate::agent {

absl::Duration Backoff::Next(uint32_t random) {
  constexpr int kMaxDoublings = 20;  // far past any sensible ceiling
  const int doublings = std::min(failures_, kMaxDoublings);
  ++failures_;
  const absl::Duration ceiling = std::min(options_.most, options_.first * (1 << doublings));
  const double share = static_cast<double>(random) / std::numeric_limits<uint32_t>::max();
  return ceiling * (0.1 + 0.9 * share);
}

}  // namespace bootgate::agent
