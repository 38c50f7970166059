// Host data as JSON values: digests, bytes, numbers and texts whose characters nobody vouches for.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::appraisal::json {

namespace model = ::bootgate::gatekeeper::json;

model::Value HexValue(ByteView bytes, model::Arena& arena);        // lower case
model::Value Base64UrlValue(ByteView bytes, model::Arena& arena);  // without padding
model::Value NumberValue(uint64_t number, model::Arena& arena);    // also above 2^63
// A copy; bytes that are no UTF-8 become U+FFFD.
model::Value TextValue(absl::string_view text, model::Arena& arena);
// The same for a text that outlives the value: copied only when it must be changed.
model::Value BorrowedText(absl::string_view text, model::Arena& arena);
// "sha256:" and the digest in hexadecimal.
model::Value NamedDigest(absl::string_view name, ByteView digest, model::Arena& arena);

}  // namespace bootgate::gatekeeper::appraisal::json
