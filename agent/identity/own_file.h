// Files that only we may write, read without being led elsewhere.
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"

namespace bootgate::agent::identity {

// Who else may have a hand on the file.
enum class Others {
  kNothing,  // neither read nor write (0600)
  kRead,     // only read (0644)
};

// kNotFound when it is not there. STATE_CORRUPT when it, or its folder, is a link, belongs to
// another user or may be written by others; when the file is no plain file, may be read by others
// (kNothing), or is longer than `max_bytes`. What is checked is what is read: the open file.
// Root may read what belongs to the folder's owner: an operator looks after the agent's user.
absl::StatusOr<std::string> ReadOwnFile(const std::string& path, size_t max_bytes, Others others);

}  // namespace bootgate::agent::identity
