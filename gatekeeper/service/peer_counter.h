// How often each peer address was refused: who knocks at the door, for the log and later for
// metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::service {

// Any thread. Bounded: when `max_peers` addresses are known, the one with the fewest refusals is
// forgotten for a new one, so that many addresses cannot hide one that keeps trying.
class PeerCounter {
 public:
  explicit PeerCounter(size_t max_peers = 4096) : max_peers_(max_peers) {}

  // One refusal more of this peer, as gRPC names it ("ipv4:10.0.0.7:51234"; the port does not
  // count); how many it has now.
  uint64_t Count(absl::string_view peer);

 private:
  const size_t max_peers_;
  std::mutex mutex_;
  std::map<std::string, uint64_t> refusals_;  // address -> count
};

// The peer without its port.
absl::string_view AddressOf(absl::string_view peer);

}  // namespace bootgate::gatekeeper::service
