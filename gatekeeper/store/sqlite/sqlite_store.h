// The embedded default: one SQLite file in WAL mode, one writer thread with group commit.
//
// Several processes may open the same file (the running gatekeeper and an operator's verb).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store {

struct SqliteOptions {
  std::string path;
  bool create = false;  // make the file and its schema when missing; else kNotFound
};

// kFailedPrecondition when the file's schema is newer than this program.
absl::StatusOr<std::unique_ptr<Store>> OpenSqlite(const SqliteOptions& options);

}  // namespace bootgate::gatekeeper::store
