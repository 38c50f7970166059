// A set from the files below a folder: an unpacked image, a mounted root.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "gatekeeper/reference/imaset/draft.h"
#include "gatekeeper/reference/sources/file_rules.h"

namespace bootgate::gatekeeper::reference {

// Adds every regular file below `root` under its path there: `root` itself stands for "/". Symbolic
// links are not followed, and what the kernel makes up (/proc, /sys, ...) is not entered. Files are
// hashed as they are read, whatever their size. Errors name the file that cannot be read.
absl::Status AddFolder(const std::string& root, WhichFiles which, SetDraft* draft);

}  // namespace bootgate::gatekeeper::reference
