// JSON text to claim values.
//
// Implements: policy language specification, section 4.2 (JsonToClaimValue).
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "gatekeeper/policy/values.h"

namespace bootgate::gatekeeper::policy {

// Failures: json (not JSON), type (an object, a fraction, an array inside an array), overflow.
// The result is empty for null and for an empty array. Does not recurse.
Computed ValuesFromJson(absl::string_view text);

}  // namespace bootgate::gatekeeper::policy
