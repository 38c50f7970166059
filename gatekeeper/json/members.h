// Members of objects before they are one.
#pragma once

#include <cstddef>

#include "absl/types/span.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::json {

// Moves the members together so that each name occurs once: the last value at the place of the
// first. Returns how many are left. n log n.
size_t KeepLastOfEach(absl::Span<Member> members);

}  // namespace bootgate::gatekeeper::json
