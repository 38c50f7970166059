#include "gatekeeper/store/sqlite/readers.h"

#include <utility>

namespace bootgate::gatekeeper::store::sqlite {
namespace {

constexpr size_t kMaxIdle = 8;  // connections kept; a rush may open more for its time

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Readers::Take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return Connection::Open(path_, Access::kRead);
}

void Readers::GiveBack(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(connection));
}

}  // namespace bootgate::gatekeeper::store::sqlite
