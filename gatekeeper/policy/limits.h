// The limits of the policy language: nothing a policy or a host sends makes an evaluation
// unbounded.
//
// Implements: policy language specification, section 2.5. The work and memory budgets are ours;
// they lie far above what any published policy needs and answer like the other limits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bootgate::gatekeeper::policy {

inline constexpr size_t kMaxTextBytes = 1 << 20;
inline constexpr size_t kMaxRules = 4096;      // all sections together
inline constexpr int kMaxCallNesting = 32;     // function calls inside function calls
inline constexpr size_t kMaxClaims = 100'000;  // in the incoming set, those of rules included
inline constexpr size_t kMaxWarningsPerCode = 100;

inline constexpr uint64_t kMaxSteps = 10'000'000;    // a step: one comparison, or kBytesPerStep
inline constexpr uint64_t kBytesPerStep = 64;        // bytes compared, copied or parsed
inline constexpr uint64_t kMaxMadeBytes = 64 << 20;  // bytes of text in claims that rules made

}  // namespace bootgate::gatekeeper::policy
