// Is the audit trail whole? Each row must follow the one before, the last must be the newest told,
// and each signed checkpoint must meet the chain; also those that were kept elsewhere.
#pragma once

#include "absl/status/statusor.h"
#include "gatekeeper/audit/trail_check.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::audit {

// A Status only when the store cannot be read: what is wrong with the trail stands in the answer.
// May run while others write.
absl::StatusOr<Verification> VerifyTrail(store::Store& store, const CheckpointKeys& keys,
                                         const KeptTrail& kept = {});

// The rows alone, for those who have no key at hand: the number of rows, or AsStatus.
absl::StatusOr<int64_t> VerifyAuditChain(store::Store& store);

}  // namespace bootgate::gatekeeper::audit
