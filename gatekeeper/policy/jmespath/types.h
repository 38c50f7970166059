// The types of values, as JMESPath has them.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/jmespath/functions.h"

namespace bootgate::gatekeeper::policy::jmespath {

// What type() says: "number", "string", "boolean", "array", "object", "null".
absl::string_view TypeName(const json::Value& value);

// Whether the value is of one of the types. Looks at each element for kNumbersType and
// kStringsType.
bool FitsType(const json::Value& value, Types wanted);

// For messages: "a string or an array".
std::string TypeWords(Types wanted);

// For messages: what the value is that does not fit: "a string", "an array with others".
absl::string_view MisfitWords(const json::Value& value, Types wanted);

// False for null, false, and the empty string, array and object.
bool IsTruth(const json::Value& value);

}  // namespace bootgate::gatekeeper::policy::jmespath
