// How rows become records, for all that read: one error form, one loop.
#pragma once

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/sqlite/connection.h"

namespace bootgate::gatekeeper::store::sqlite {

inline absl::Status Missing(absl::string_view what, absl::string_view id) {
  return absl::NotFoundError(absl::StrCat("no ", what, " ", id));
}

inline absl::Status Corrupt(absl::string_view what, absl::string_view id, absl::string_view why) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                absl::StrCat(what, " ", id, ": ", why));
}

// All rows of `statement` as `make` reads them; stops at the first that cannot be read.
template <typename Row>
absl::StatusOr<std::vector<Row>> AllRows(Statement& statement,
                                         absl::StatusOr<Row> (*make)(const Statement&)) {
  std::vector<Row> rows;
  for (;;) {
    BG_ASSIGN_OR_RETURN(const bool more, statement.Step());
    if (!more) return rows;
    BG_ASSIGN_OR_RETURN(Row row, make(statement));
    rows.push_back(std::move(row));
  }
}

}  // namespace bootgate::gatekeeper::store::sqlite
