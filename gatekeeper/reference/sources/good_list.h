// A set from what a good host ran: its IMA list.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

struct GoodListCounts {
  size_t taken = 0;
  size_t violations = 0;  // what ran then is unknown: not taken
  size_t without_digest = 0;
};

// Takes the entries of PCR 10: files by content or fs-verity digest, kernel records by name.
// boot_aggregate belongs to the host and is left out. The list is believed as it is: take one of a
// host that was just judged good. kInvalidArgument names the first defect of a list that does not
// read to its end.
absl::Status AddGoodList(ByteView list, SetDraft* draft, GoodListCounts* counts);

}  // namespace bootgate::gatekeeper::reference
