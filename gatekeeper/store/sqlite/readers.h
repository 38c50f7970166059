// The connections that readers share: as many as read at one time, opened as they are needed.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/store/sqlite/connection.h"

namespace bootgate::gatekeeper::store::sqlite {

// Any thread.
class Readers {
 public:
  explicit Readers(std::string path) : path_(std::move(path)) {}

  // Calls `read(Connection&)` with a connection that nobody else has meanwhile.
  template <typename Read>
  auto With(const Read& read) -> decltype(read(std::declval<Connection&>())) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = Take();
    if (!connection.ok()) return connection.status();
    auto result = read(**connection);
    GiveBack(*std::move(connection));
    return result;
  }

 private:
  absl::StatusOr<std::unique_ptr<Connection>> Take();
  void GiveBack(std::unique_ptr<Connection> connection);

  const std::string path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
};

}  // namespace bootgate::gatekeeper::store::sqlite
