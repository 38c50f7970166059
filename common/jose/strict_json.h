// JSON from outside, looked over before anything reads it.
//
// Implements: RFC 8259, with what JOSE demands of it: no member twice (RFC 7515, 4), well-formed
// UTF-8. Libraries that keep one of two equal members, each its own, are how signatures are evaded.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bootgate::jose {

inline constexpr int kMaxJsonDepth = 32;

enum class TopLevel { kObject, kAny };

// JWS_PARSE: no JSON, no object, a member twice in one object, deeper than kMaxJsonDepth, more
// than `max_bytes`. `what` begins the message: "the header".
absl::Status CheckStrictJson(absl::string_view text, size_t max_bytes, absl::string_view what,
                             TopLevel top = TopLevel::kObject);

}  // namespace bootgate::jose
