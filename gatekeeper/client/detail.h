// The detail of an audit row, which is JSON, in words for a table.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::client {

// Of {"before":{..},"after":{..}} what differs ("trust: trusted -> quarantined"), of all else what
// is not empty ("uses: 3"), with ", " between. Digests are cut to what a person compares. Text that
// is no JSON object comes back as it is.
std::string DetailText(absl::string_view json);

// A digest in hex: its first 12 digits; all else as it is.
std::string ShortDigest(absl::string_view text);

}  // namespace bootgate::gatekeeper::client
