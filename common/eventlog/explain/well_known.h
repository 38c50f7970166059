// Values that firmware, boot loaders and systemd extend on many machines.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4.1 (separators, EFI
// actions), 3.3.4.8 (Secure Boot's variables, also where they are empty); systemd-pcrphase (its
// words in PCR 11).
#pragma once

#include <vector>

#include "common/eventlog/explain/explain.h"

namespace bootgate::eventlog {

// Digests of well-known contents in this bank.
std::vector<KnownDigest> WellKnownDigests(crypto::HashAlg alg);

// The words that systemd-pcrphase extends, in a boot's order.
std::vector<KnownDigest> BootPhases(crypto::HashAlg alg);

// Other contents from which an event's digest may have been made, the most usual first.
std::vector<crypto::Digest> HashesOfData(const Event& event, crypto::HashAlg alg);

}  // namespace bootgate::eventlog
