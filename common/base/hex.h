// Text forms of bytes: lower-case hexadecimal, base64 and base64url.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate {

std::string ToHex(ByteView bytes);

// kInvalidArgument on an odd length or a character that is no hexadecimal digit.
absl::StatusOr<Bytes> FromHex(absl::string_view text);

std::string ToBase64(ByteView bytes);     // with padding
std::string ToBase64Url(ByteView bytes);  // without padding
absl::StatusOr<Bytes> FromBase64(absl::string_view text);
// Exactly what ToBase64Url writes: no padding, no white space, no stray bits (RFC 7515, section 2).
absl::StatusOr<Bytes> FromBase64Url(absl::string_view text);
// Exactly what ToBase64 writes (RFC 7515, 4.1.6: the certificates of x5c).
absl::StatusOr<Bytes> FromStrictBase64(absl::string_view text);

// Text that is safe on a terminal and in a log line: control characters and bytes that are not
// UTF-8 become \xNN; longer than `max_bytes` is cut and marked with "...".
std::string Printable(absl::string_view text, size_t max_bytes = 512);

}  // namespace bootgate
