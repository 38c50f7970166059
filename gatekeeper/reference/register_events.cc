#include "gatekeeper/reference/register_events.h"

#include "common/base/hex.h"
#include "common/eventlog/decode/describe.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kMaxWords = 4096;  // bytes; a kernel command line is at most 2048

}  // namespace

std::vector<const eventlog::Event*> EventsOf(const eventlog::Log& log, crypto::HashAlg alg,
                                             uint32_t index) {
  std::vector<const eventlog::Event*> events;
  for (const eventlog::Event& event : log.events()) {
    if (event.register_index != index || event.untrusted_type == eventlog::kEvNoAction) continue;
    if (log.DigestOf(event, alg)) events.push_back(&event);
  }
  return events;
}

crypto::Digest DigestOf(const eventlog::Log& log, const eventlog::Event& event,
                        crypto::HashAlg alg) {
  const auto bytes = log.DigestOf(event, alg);
  if (!bytes) return crypto::Digest(alg);
  return crypto::Digest::From(alg, *bytes).value_or(crypto::Digest(alg));
}

std::string KeyOf(const eventlog::Event& event) { return Printable(eventlog::PairingKey(event)); }

std::string WordsFor(const eventlog::Log& log, const eventlog::Event& event, crypto::HashAlg alg) {
  return Printable(eventlog::Describe(log, event, alg), kMaxWords);
}

}  // namespace bootgate::gatekeeper::reference
