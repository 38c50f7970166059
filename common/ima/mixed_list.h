// The mixed form of a list, in which entries that the reader knows stand by name alone.
//
// Items, one after the other, an entry each: a byte 0 and the name, which is the SHA-256 of the
// record's bytes (known_digests.h); or a byte 1, the record's length as a 32-bit little-endian
// integer, not 0, and its bytes. Which record stands behind a name is for the caller to know.
#pragma once

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/bytes/reader.h"

namespace bootgate::ima {

// Borrows the mixed form.
struct MixedItem {
  bool named = false;
  ByteView bytes;  // the name, or the record
};

void AppendNamed(ByteView name, Bytes* mixed);
void AppendRecord(ByteView record, Bytes* mixed);

// Takes the next item; not at the end. MESSAGE_MALFORMED.
absl::StatusOr<MixedItem> TakeMixedItem(bytes::Reader& in);

}  // namespace bootgate::ima
