#include "common/eventlog/decode/dbx_history.h"

#include <algorithm>

#include "common/base/hex.h"
#include "common/eventlog/decode/dbx_table.h"

namespace bootgate::eventlog {

std::optional<absl::string_view> MonthPublished(ByteView sha256) {
  const std::string hex = ToHex(sha256);
  const absl::Span<const DbxRow> rows = DbxRows();
  const auto row = std::ranges::lower_bound(rows, absl::string_view(hex), {}, &DbxRow::sha256);
  if (row == rows.end() || row->sha256 != hex) return std::nullopt;
  return DbxMonths()[row->month];
}

absl::string_view LatestDbxMonth() { return DbxMonths().back(); }

DbxAge AgeOfDbx(const SignatureLists& dbx) {
  DbxAge age;
  for (const SignatureEntry& entry : dbx) {
    if (IsCertificate(entry.kind)) ++age.certificates;
    if (entry.kind != SignatureKind::kSha256) continue;
    ++age.hashes;
    const std::optional<absl::string_view> month = MonthPublished(entry.value);
    if (!month.has_value()) continue;
    ++age.published;
    age.newest = std::max(age.newest, *month);
  }
  return age;
}

}  // namespace bootgate::eventlog
