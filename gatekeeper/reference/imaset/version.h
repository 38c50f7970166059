// Which of two package versions is the newer one.
//
// Implements: Debian Policy 5.6.12 (epoch, upstream version, revision; the order of ~, letters and
// the rest); rpm's order of epoch, version, release with ~ and ^ (rpm docs, "Dependencies":
// versioning). Any text has a place in the order.
#pragma once

#include <compare>

#include "absl/strings/string_view.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

std::strong_ordering CompareDebianVersions(absl::string_view a, absl::string_view b);
// "epoch:version-release"; without an epoch it is 0.
std::strong_ordering CompareRpmVersions(absl::string_view a, absl::string_view b);

// Two versions of the same package: same name, same origin. By the origin's first word, "deb" or
// "rpm"; of other origins no version is newer.
bool IsSamePackage(const Package& a, const Package& b);
bool IsNewer(const Package& a, const Package& than);

}  // namespace bootgate::gatekeeper::reference
