// How old is a list of forbidden images (dbx)?
//
// The table (dbx_table.cc, made by scripts/make_dbx_table) gives the Authenticode hashes that the
// UEFI Forum and Microsoft published for x86-64, each with the month of the release that first had
// it. A month says "this machine has at least an entry published then", not that the list is
// complete.
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
  absl::string_view newest;  // "2023-05": the latest month among them; empty when none is known
};
DbxAge AgeOfDbx(const SignatureLists& dbx);

// The month in which that hash (32 bytes) was published; nullopt when it is not in the table.
std::optional<absl::string_view> MonthPublished(ByteView sha256);

// The latest month in the table: what a list that was complete when this was built would have.
absl::string_view LatestDbxMonth();

}  // namespace bootgate::eventlog
