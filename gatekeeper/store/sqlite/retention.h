// What goes because of its age; as store.h says of Store::Sweep. Inside a transaction, as of
// write.h.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/store/sqlite/connection.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store::sqlite {

absl::StatusOr<Swept> SweepOld(Connection& db, const Retention& retention, const std::string& actor,
                               absl::Time now);

}  // namespace bootgate::gatekeeper::store::sqlite
