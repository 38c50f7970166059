// Where the unsealed credential may lie, and how long it may stay.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bootgate::agent::identity {

// STATE_UNWRITABLE unless `folder` (or, when it is not made yet, the folder it will be in) is on a
// file system in memory: tmpfs or ramfs. What was on a disk can be read from the disk.
absl::Status RequireMemory(const std::string& folder);

struct InstalledPair {
  std::string chain_pem, key_pem;
};

// The installed certificate and its key. kNotFound: nothing is installed. STATE_CORRUPT: the files
// are not ours alone, do not parse, or do not belong together.
absl::StatusOr<InstalledPair> ReadInstalled(const std::string& runtime_folder);

// When the installed certificate ends. nullopt: nothing is installed. InfinitePast: what lies there
// is not what we put there, and must go.
std::optional<absl::Time> InstalledUntil(const std::string& runtime_folder);

}  // namespace bootgate::agent::identity
