// What two sets say differently.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

// One path and kind that both sets have, with digests of which some are in one set only.
struct ChangedPath {
  std::string path;
  DigestKind kind = DigestKind::kFile;
  std::vector<std::string> only_before, only_after;  // "sha256:hex"
};

struct ChangedWindow {
  std::string path;
  std::string digest;  // "sha256:hex"
  Window before, after;
};

// In the order of paths.
struct SetDiff {
  std::vector<std::string> added, removed;  // paths in one set only
  std::vector<ChangedPath> changed;
  std::vector<ChangedWindow> windows;  // of digests that both have
  bool rules_changed = false;
  bool empty() const {
    return added.empty() && removed.empty() && changed.empty() && windows.empty() && !rules_changed;
  }
};

SetDiff Compare(const SetDraft& before, const SetDraft& after);

}  // namespace bootgate::gatekeeper::reference
