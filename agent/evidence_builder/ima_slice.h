// Counting and cutting an IMA list at whole entries.
#pragma once

#include <cstdint>

#include "common/base/bytes_view.h"

namespace bootgate::agent::evidence_builder {

// A run of whole entries. Borrows the list.
struct ImaSlice {
  uint64_t first_entry = 0;
  uint64_t count = 0;
  ByteView bytes;
};

// Whole entries of `list` from number `first` on; from the start when there are fewer. Bytes of an
// entry that is cut at the end are left out.
ImaSlice EntriesFrom(ByteView list, uint64_t first);

}  // namespace bootgate::agent::evidence_builder
