// Whole files, read with a bound and written so that a crash leaves the old or the new one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"

namespace bootgate {

// Reads a file, also one of /sys whose size is told as zero.
// Errors name the path: kNotFound, kPermissionDenied, kResourceExhausted (more than `max_bytes`),
// kInvalidArgument (a folder), kUnavailable (any other failure of the system).
absl::StatusOr<Bytes> ReadFile(const std::string& path, size_t max_bytes);
absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes);

// Writes `path` through a temporary file in the same folder, synced, then renamed; the folder is
// synced too. `mode` holds from the first byte on.
absl::Status WriteFileAtomically(const std::string& path, ByteView bytes, mode_t mode);

// Makes a folder and its parents. The last one gets `mode`, if it was made now.
absl::Status MakeFolder(const std::string& path, mode_t mode);

// Overwrites nothing, only unlinks; a missing file is fine.
absl::Status RemoveFile(const std::string& path);

bool FileExists(const std::string& path);

}  // namespace bootgate
