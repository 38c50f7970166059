// The limits of the policy language: nothing a policy or a host sends makes an evaluation
// unbounded.
//
// Implements: policy language specification, section 2.5. The work and memory budgets are ours.
// They are counted, not timed, so that the same evidence ends the same way on every machine; they
// are set so that an evaluation that spends them whole stays under 100 ms even where nothing was
// optimised (budget_test.cc).
#pragma once

#include <cstddef>
#include <cstdint>

namespace bootgate::gatekeeper::policy {

inline constexpr size_t kMaxTextBytes = 1 << 20;
inline constexpr size_t kMaxRules = 4096;      // all sections together
inline constexpr int kMaxCallNesting = 32;     // function calls inside function calls
inline constexpr size_t kMaxClaims = 100'000;  // in the incoming set, those of rules included
inline constexpr size_t kMaxWarningsPerCode = 100;

inline constexpr int64_t kMaxSteps = 600'000;  // a step: a value looked at, or bytes:
inline constexpr int64_t kBytesPerStep = 64;   // compared or copied
inline constexpr int64_t kStepsPerPrintedValue = 2;
inline constexpr int64_t kPrintedBytesPerStep = 4;  // of JSON that is made into text
inline constexpr int64_t kStepsPerParsedValue = 3;
inline constexpr int64_t kParsedBytesPerStep = 8;      // of JSON or of a query that is read
inline constexpr int64_t kMaxMadeBytes = 2 << 20;      // of texts that rules and queries make
inline constexpr size_t kMaxPublishedBytes = 8 << 20;  // of all claims that are issued
inline constexpr size_t kMaxArenaBytes = 64 << 20;     // of JSON

}  // namespace bootgate::gatekeeper::policy
