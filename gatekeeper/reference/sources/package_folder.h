// A set from a repository's folder of packages: pool/, Packages/.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gatekeeper/reference/imaset/draft.h"
#include "gatekeeper/reference/sources/file_rules.h"

namespace bootgate::gatekeeper::reference {

struct PackageFolderCounts {
  size_t packages = 0;
  std::vector<std::string> skipped;  // source packages
};

// Adds every .deb and .rpm below `folder`, whatever its version, in the order of their paths.
// Symbolic links to packages are followed, to folders not. The first package that cannot be read
// ends it: a set that silently lacks a package quarantines hosts.
absl::Status AddPackageFolder(const std::string& folder, WhichFiles which, SetDraft* draft,
                              PackageFolderCounts* counts);

}  // namespace bootgate::gatekeeper::reference
