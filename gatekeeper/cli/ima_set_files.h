// What the verbs on reference sets share: reading, verifying and writing their files, times.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/signed_file.h"

namespace bootgate::gatekeeper::cli {

// A set as it was read, and whether its signature was verified.
struct ReadSet {
  std::shared_ptr<const reference::ImaSet> set;
  reference::Signed state = reference::Signed::kNo;
};

// Errors of all of these name the file.
absl::StatusOr<reference::TrustedKeys> ReadTrustedKeys(const std::vector<std::string>& files);
absl::StatusOr<reference::SignedFile> ReadSigned(const std::string& file, size_t max_bytes,
                                                 absl::string_view payload_type,
                                                 const reference::TrustedKeys& trusted);
absl::StatusOr<ReadSet> ReadImaSet(const std::string& file, const reference::TrustedKeys& trusted);

// Writes the draft's set, whole or not at all; gives it opened.
absl::StatusOr<std::shared_ptr<const reference::ImaSet>> SaveImaSet(
    const reference::SetDraft& draft, const std::string& file);

// "2026-11-22T12:00:00Z", "1795348800", "now".
absl::StatusOr<absl::Time> ReadTime(absl::string_view option, absl::string_view text,
                                    absl::Time now);
// "90m", "12h", "7d"; not negative.
absl::StatusOr<absl::Duration> ReadDuration(absl::string_view option, absl::string_view text);

}  // namespace bootgate::gatekeeper::cli
