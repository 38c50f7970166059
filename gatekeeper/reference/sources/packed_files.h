// The files that one package brings, from its archive of them.
#pragma once

#include "absl/status/status.h"
#include "gatekeeper/reference/imaset/draft.h"
#include "gatekeeper/reference/sources/archive_reader.h"
#include "gatekeeper/reference/sources/file_rules.h"

namespace bootgate::gatekeeper::reference {

// Adds each regular file under its path, every name of a file with several names with the digest of
// its one content, wherever in the archive that stands. Gives kInvalidArgument where a path goes
// up.
absl::Status AddPackedFiles(ArchiveReader& archive, WhichFiles which, const Package& package,
                            SetDraft* draft);

}  // namespace bootgate::gatekeeper::reference
