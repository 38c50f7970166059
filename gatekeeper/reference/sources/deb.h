// A set from a Debian package file.
//
// Implements: deb(5): an ar archive of debian-binary, control.tar.* and data.tar.*; deb-control(5):
// Package, Version, Architecture. Paths of an unmerged /usr are added by their merged ones too.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "gatekeeper/reference/imaset/draft.h"
#include "gatekeeper/reference/sources/file_rules.h"

namespace bootgate::gatekeeper::reference {

// Errors name the file. On an error the draft is as it was.
absl::Status AddDeb(const std::string& file, WhichFiles which, SetDraft* draft);

}  // namespace bootgate::gatekeeper::reference
