#include "gatekeeper/service/peer_counter.h"

#include <algorithm>

namespace bootgate::gatekeeper::service {

absl::string_view AddressOf(absl::string_view peer) {
  const size_t colon = peer.rfind(':');
  return colon == absl::string_view::npos ? peer : peer.substr(0, colon);
}

uint64_t PeerCounter::Count(absl::string_view peer) {
  const absl::string_view address = AddressOf(peer);
  const std::string key(address.data(), address.size());
  const std::lock_guard lock(mutex_);
  if (refusals_.size() >= max_peers_ && !refusals_.contains(key)) {
    refusals_.erase(std::ranges::min_element(
        refusals_, [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  return ++refusals_[key];
}

}  // namespace bootgate::gatekeeper::service
