// The fields that stored records are made of. A text or a run of bytes has a 32-bit length before
// it; a flag is a byte, 0 or 1; a time is nanoseconds since 1970. For the codecs of this room.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"

namespace bootgate::gatekeeper::store::record {

inline constexpr size_t kSmallestText = 4;  // bytes that a text takes at least: its length

void PutText(bytes::Writer& out, absl::string_view text);
void PutFlag(bytes::Writer& out, bool flag);
void PutTime(bytes::Writer& out, absl::Time time);

// kDataLoss with RECORD_CORRUPT.
absl::Status Corrupt(absl::string_view what);

absl::StatusOr<Bytes> TakeBytes(bytes::Reader& in);
absl::StatusOr<std::string> TakeText(bytes::Reader& in);
absl::StatusOr<bool> TakeFlag(bytes::Reader& in);
absl::StatusOr<absl::Time> TakeTime(bytes::Reader& in);
// A number of items, none of which is shorter than `smallest_item` bytes: never more than there
// are bytes for.
absl::StatusOr<uint32_t> TakeCount(bytes::Reader& in, size_t smallest_item);

}  // namespace bootgate::gatekeeper::store::record
