// The events of one register as a comparison needs them.
#pragma once

#include <string>
#include <vector>

#include "common/eventlog/log.h"

namespace bootgate::gatekeeper::reference {

inline constexpr uint32_t kImaRegister =
    10;  // never compared: its order differs between good boots

// Events that extend `index` in bank `alg`, in order. Borrows the log.
std::vector<const eventlog::Event*> EventsOf(const eventlog::Log& log, crypto::HashAlg alg,
                                             uint32_t index);

// The digest of an event that EventsOf gave.
crypto::Digest DigestOf(const eventlog::Log& log, const eventlog::Event& event,
                        crypto::HashAlg alg);

// eventlog::PairingKey and eventlog::Describe as text that is safe to store and print.
std::string KeyOf(const eventlog::Event& event);
std::string WordsFor(const eventlog::Log& log, const eventlog::Event& event, crypto::HashAlg alg);

}  // namespace bootgate::gatekeeper::reference
