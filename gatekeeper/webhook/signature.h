// How a receiver knows that a delivery is ours and not an old one.
//
// Implements: Standard Webhooks 1.0.0 (symmetric keys): the header webhook-signature holds "v1,"
// and in base64 the HMAC-SHA256 over "ID.TIMESTAMP.BODY", once for each key, a space apart.
// docs/enforcement.md tells receivers how to check it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/secret_bytes.h"

namespace bootgate::gatekeeper::webhook {

inline constexpr size_t kLeastKey = 24, kMostKey = 64;  // bytes
// One in use and, while receivers change over, the next one.
inline constexpr size_t kMostKeys = 2;

// The keys in a file, "whsec_" and base64 a line. Messages never show any of it.
// kInvalidArgument: no such lines; kFailedPrecondition: everybody on the machine can read or write
// the file; and errors of files.h.
absl::StatusOr<std::vector<SecretBytes>> ReadKeys(const std::string& file);

// The header's value.
std::string Signatures(const std::vector<SecretBytes>& keys, absl::string_view id,
                       int64_t unix_seconds, absl::string_view body);

}  // namespace bootgate::gatekeeper::webhook
