// The table behind dbx_history.h.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace bootgate::eventlog {

struct DbxRow {
  absl::string_view sha256;  // lower-case hexadecimal
  uint8_t month = 0;         // index into DbxMonths
};

absl::Span<const DbxRow> DbxRows();               // by hash, ascending
absl::Span<const absl::string_view> DbxMonths();  // "2014-08", ..., ascending

}  // namespace bootgate::eventlog
