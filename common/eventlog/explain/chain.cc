#include "common/eventlog/explain/chain.h"

#include <algorithm>
#include <optional>

#include "common/eventlog/replay.h"
#include "common/registers/bank.h"

namespace bootgate::eventlog {

Chain::Chain(const Log& log, crypto::HashAlg alg, uint32_t register_index) {
  before_.push_back(ValueAtStart(log, alg, register_index));
  for (const Event& event : log.events()) {
    if (event.register_index != register_index || !event.Extends()) continue;
    const std::optional<ByteView> bytes = log.DigestOf(event, alg);
    if (!bytes.has_value()) continue;
    const absl::StatusOr<crypto::Digest> digest = crypto::Digest::From(alg, *bytes);
    if (!digest.ok()) continue;
    links_.push_back({&event, *digest});
    before_.push_back(registers::Extended(before_.back(), *digest));
  }
}

crypto::Digest Chain::Finish(crypto::Digest value, size_t from) const {
  for (size_t i = from; i < links_.size(); ++i) {
    value = registers::Extended(value, links_[i].digest);
  }
  return value;
}

size_t Chain::FirstAfter(uint32_t number) const {
  const auto after = std::ranges::find_if(
      links_, [number](const Link& link) { return link.event->number > number; });
  return static_cast<size_t>(after - links_.begin());
}

}  // namespace bootgate::eventlog
