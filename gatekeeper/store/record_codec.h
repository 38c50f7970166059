// Records as bytes for a column: a version, length-prefixed fields, and a checksum over both.
//
// What is read back is exactly what was written, or RECORD_CORRUPT: a flipped bit in a key is found
// here and not by a quote that no longer verifies. Shared by all backends.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::store {

using Labels = std::map<std::string, std::string>;

Bytes EncodeHost(const host::HostRecord& host);
Bytes EncodeLabels(const Labels& labels);
Bytes EncodeTexts(const std::vector<std::string>& texts);

// Errors: kDataLoss with RECORD_CORRUPT.
absl::StatusOr<host::HostRecord> DecodeHost(ByteView encoded);
absl::StatusOr<Labels> DecodeLabels(ByteView encoded);
absl::StatusOr<std::vector<std::string>> DecodeTexts(ByteView encoded);

}  // namespace bootgate::gatekeeper::store
