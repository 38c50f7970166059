// The IMA cursor as fields of a host's record.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "gatekeeper/host/ima_cursor.h"

namespace bootgate::gatekeeper::store {

void PutImaCursor(bytes::Writer& out, const std::optional<host::ImaCursor>& cursor);
// Any error: the record is corrupt. A reason code that this program does not know is one, too: the
// finding could not be repeated.
absl::StatusOr<std::optional<host::ImaCursor>> TakeImaCursor(bytes::Reader& in);

// The judged entries alone.
void PutImaProgress(bytes::Writer& out, const ImaProgress& progress);
absl::StatusOr<ImaProgress> TakeImaProgress(bytes::Reader& in);

}  // namespace bootgate::gatekeeper::store
