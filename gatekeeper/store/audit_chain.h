// The hash chain of the audit trail: each row's value covers the row and the value before it.
//
// A changed, removed, added or reordered row no longer fits its neighbours. Who can write the whole
// file can make a new chain; that takes a signature, which is not here.
#pragma once

#include "absl/status/status.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store {

// What stands before the first row: 32 zero bytes.
Bytes ChainStart();

// SHA-256 over `previous` and the row's fields but `chain`, each with its length before it.
Bytes ChainValue(ByteView previous, const AuditRow& row);

// kDataLoss RECORD_CORRUPT, naming the row, unless `row` directly follows `before`.
absl::Status CheckFollows(const AuditHead& before, const AuditRow& row);

}  // namespace bootgate::gatekeeper::store
