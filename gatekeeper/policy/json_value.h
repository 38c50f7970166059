// JSON to claim values.
//
// Implements: policy language specification, section 4.2 (JsonToClaimValue).
#pragma once

#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/values.h"

namespace bootgate::gatekeeper::policy {

// Failures: type (an object, a fraction, an array inside an array), overflow, limit. The result is
// empty for null and for an empty array. Strings borrow the JSON.
Computed ValuesFromJson(const json::Value& json, Workspace& workspace);

}  // namespace bootgate::gatekeeper::policy
