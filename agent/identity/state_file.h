// A file of the state folder: ours alone, short, and whole. JSON stays in the .cc files.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bootgate::agent::identity {

inline constexpr size_t kMaxStateFile = size_t{1} << 20;  // bytes

absl::Status Corrupt(absl::string_view what);  // kDataLoss STATE_CORRUPT

// kNotFound when it is not there; STATE_CORRUPT when it is a link or no file, belongs to another
// user, may be written or read by others, or is too long (own_file.h).
absl::StatusOr<std::string> ReadStateFile(const std::string& path);
// Makes the folder (0700) when it is missing. STATE_UNWRITABLE: the old file is as it was.
absl::Status WriteStateFile(const std::string& folder, const std::string& name,
                            const std::string& text);

}  // namespace bootgate::agent::identity
