// A set from an RPM package file.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "gatekeeper/reference/imaset/draft.h"
#include "gatekeeper/reference/sources/file_rules.h"

namespace bootgate::gatekeeper::reference {

// Errors name the file; kFailedPrecondition: a source package, of which nothing is installed. On an
// error the draft is as it was.
absl::Status AddRpm(const std::string& file, WhichFiles which, SetDraft* draft);

}  // namespace bootgate::gatekeeper::reference
