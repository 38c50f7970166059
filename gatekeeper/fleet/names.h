// What names look like wherever one comes in from outside: ids, labels, words for people. Attack
// A73: nothing else reaches a record, a log line, or a place in a file. Pure.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::fleet {

inline constexpr size_t kMaxIdBytes = 253;
inline constexpr size_t kMaxLabels = 64;  // of a host
inline constexpr size_t kMaxLabelNameBytes = 128;
inline constexpr size_t kMaxLabelValueBytes = 256;
inline constexpr size_t kMaxWordsBytes = 1024;  // of a reason, a ticket, a note's line

// [a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?
bool IsId(absl::string_view text);
// Letters, digits, and inside '.', '_', '-'; with one '/' between two such parts:
// "topology.example/rack".
bool IsLabelName(absl::string_view text);
// Letters, digits, ':' at either end, and inside also '.', '_', '-', '@', '+', ' '; also an
// address: "2001:db8::7".
bool IsLabelValue(absl::string_view text);
// UTF-8 without control characters and without those that turn the direction of writing.
bool IsPlainText(absl::string_view text);

// kInvalidArgument HOST_ID_SYNTAX; `what` begins the message: "host_id".
absl::Status CheckId(absl::string_view what, absl::string_view text);
// kInvalidArgument SELECTOR.
absl::Status CheckLabel(absl::string_view name, absl::string_view value);
absl::Status CheckLabels(const std::map<std::string, std::string>& labels);
// "" or of the form of rollout/selector.h, with good labels. kInvalidArgument SELECTOR.
absl::Status CheckSelector(absl::string_view text);
// kInvalidArgument MESSAGE_MALFORMED: no plain text, or longer.
absl::Status CheckText(absl::string_view what, absl::string_view text,
                       size_t max_bytes = kMaxWordsBytes);
// CheckText, and not blank: it stays in the audit trail.
absl::Status CheckReason(absl::string_view text);

}  // namespace bootgate::gatekeeper::fleet
