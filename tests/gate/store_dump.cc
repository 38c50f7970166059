#include "tests/gate/store_dump.h"

#include <sqlite3.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"

namespace bootgate::gate {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

void Require(bool held, const std::string& what) {
  if (held) return;
  std::cerr << "cannot dump the store: " << what << "\n";
  std::abort();
}

std::string Column(sqlite3_stmt* row, int column) {
  const auto* const bytes = static_cast<const uint8_t*>(sqlite3_column_blob(row, column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(row, column));
  return absl::StrCat(sqlite3_column_type(row, column), ":",
                      bytes == nullptr ? "" : ToHex({bytes, size}));
}

std::vector<std::string> Rows(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  Require(sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr) == SQLITE_OK, sql);
  const Statement statement(raw);
  std::vector<std::string> rows;
  while (sqlite3_step(raw) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(raw); ++i) absl::StrAppend(&row, Column(raw, i), " ");
    rows.push_back(row);
  }
  return rows;
}

std::vector<std::string> Tables(sqlite3* database) {
  std::vector<std::string> names;
  sqlite3_stmt* raw = nullptr;
  const char* const sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
  Require(sqlite3_prepare_v2(database, sql, -1, &raw, nullptr) == SQLITE_OK, sql);
  const Statement statement(raw);
  while (sqlite3_step(raw) == SQLITE_ROW) {
    const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(raw, 0));
    names.emplace_back(bytes, static_cast<size_t>(sqlite3_column_bytes(raw, 0)));
  }
  return names;
}

}  // namespace

std::string DumpStore(const std::string& path) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
  const Database database(raw);
  Require(opened == SQLITE_OK, path);
  std::string dump;
  const std::vector<std::string> tables = Tables(raw);
  Require(!tables.empty(), "no tables");
  for (const std::string& table : tables) {
    absl::StrAppend(&dump, "== ", table, "\n");
    for (const std::string& row : Rows(raw, absl::StrCat("SELECT * FROM \"", table, "\""))) {
      absl::StrAppend(&dump, row, "\n");
    }
  }
  return dump;
}

}  // namespace bootgate::gate
