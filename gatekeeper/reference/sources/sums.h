// A set from the lines that sha256sum and its kin write.
//
// Reads: "hex  path" and "hex *path" as coreutils writes them, with its escaping of line breaks;
// the length of the digest says the algorithm, or a name before it does ("sha256:hex  path"), as in
// Keylime's flat lists, where "%keyring:.ima" stands for a keyring. Empty lines and lines that
// begin with # are passed over.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

inline constexpr size_t kMaxSumsBytes = size_t{1} << 30;

// kInvalidArgument names the line. boot_aggregate is passed over: it is computed, never listed.
absl::Status AddSums(absl::string_view text, SetDraft* draft);

}  // namespace bootgate::gatekeeper::reference
