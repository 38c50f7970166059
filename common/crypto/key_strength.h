// Is a public key of somebody else's one that can be factored cheaply? For keys that are met once,
// at enrolment or in a chain; PublicKey itself has checked size, exponent and curve by then.
//
// RSA moduli are tried for small factors, and for the shape that a flawed key generator of smart
// cards and TPMs gave them (CVE-2017-15361, "ROCA"): its primes are k*M + (65537^a mod M), with M a
// product of the first primes, so that modulo each of these the modulus is a power of 65537. A
// random modulus has that shape with a probability of 2^-27.
//
// After: Nemec, Sys, Svenda, Klinec, Matyas: The Return of Coppersmith's Attack, CCS 2017, section
// 2.3.
#pragma once

#include "absl/status/status.h"
#include "common/crypto/public_key.h"

namespace bootgate::crypto {

// KEY_WEAK names the flaw.
absl::Status CheckStrength(const PublicKey& key);

}  // namespace bootgate::crypto
