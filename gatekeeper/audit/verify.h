// Is the audit trail whole? Each row must follow the one before, and the last must be the newest
// told.
//
// Finds what was changed, removed, added or reordered, at either end too. It does not find a trail
// that somebody made anew from the first row on: that takes signed checkpoints.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::audit {

// The number of rows. kDataLoss RECORD_CORRUPT names the first row that is not what it was. May run
// while others write.
absl::StatusOr<int64_t> VerifyAuditChain(store::Store& store);

}  // namespace bootgate::gatekeeper::audit
