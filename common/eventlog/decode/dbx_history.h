// How old is a list of forbidden images (dbx)?
//
// The table (dbx_table.cc, made by scripts/make_dbx_table) gives the Authenticode hashes that the
// UEFI Forum and Microsoft published, each with the day of the release that first had it. A date
// says "this machine has at least an entry published then", not that the list is complete.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/eventlog/decode/signature_list.h"

namespace bootgate::eventlog {

struct DbxAge {
  size_t hashes = 0;         // SHA-256 entries of the list
  size_t published = 0;      // of them, those in the table
  size_t certificates = 0;   // X.509 entries, whole or by hash
  absl::string_view newest;  // "2023-05-09": the latest day among them; empty when none is known
};
DbxAge AgeOfDbx(const SignatureLists& dbx);

// The day on which that hash (32 bytes) was published; nullopt when it is not in the table.
std::optional<absl::string_view> DayPublished(ByteView sha256);

// The latest day in the table: what a list that was complete when this was built would have.
absl::string_view LatestDbxDay();

}  // namespace bootgate::eventlog
