// The tables, and the forward steps from one version of them to the next.
#pragma once

#include "absl/status/status.h"
#include "gatekeeper/store/sqlite/connection.h"

namespace bootgate::gatekeeper::store::sqlite {

inline constexpr int64_t kSchemaVersion = 5;

// Brings the file to kSchemaVersion, each step in one transaction; several processes may try at
// once. kFailedPrecondition STORE: the schema is newer than this program, or the file is a database
// of something else.
absl::Status Migrate(Connection& connection);

}  // namespace bootgate::gatekeeper::store::sqlite
