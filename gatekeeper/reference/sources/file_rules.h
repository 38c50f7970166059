// What all sources of files have in common: which files count, how their paths are written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

//   kAll          every regular file
//   kExecutables  those that someone may execute; libraries and modules often may not be
enum class WhichFiles { kAll, kExecutables };

// "./usr//bin/x" as "/usr/bin/x"; nullopt where it goes up ("..") or is empty.
std::optional<std::string> AbsolutePath(absl::string_view member);

// Where a merged /usr keeps what packages still call /bin/x, /lib/x, ...: "/usr/bin/x". Empty for
// other paths.
std::string MergedUsrPath(absl::string_view path);

// Adds a file of a package by its own path and, where a merged /usr moves it, by that one too.
void AddPackaged(const std::string& path, const Bytes& sha256, const Package& package,
                 SetDraft* draft);

}  // namespace bootgate::gatekeeper::reference
