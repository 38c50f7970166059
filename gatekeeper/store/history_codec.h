// A TPM's history as fields of a host's record.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "gatekeeper/host/tpm_history.h"

namespace bootgate::gatekeeper::store {

void PutBootMark(bytes::Writer& out, const host::BootMark& boot);
absl::StatusOr<host::BootMark> TakeBootMark(bytes::Reader& in);

void PutTpmHistory(bytes::Writer& out, const host::TpmHistory& history);
// Any error: the record is corrupt.
absl::StatusOr<host::TpmHistory> TakeTpmHistory(bytes::Reader& in);

}  // namespace bootgate::gatekeeper::store
