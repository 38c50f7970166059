// What others are told of, how far each has heard it, and what could not be told. Writing: inside a
// transaction, as of write.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/store/sqlite/connection.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store::sqlite {

absl::Status InsertChange(Connection& db, const ChangeRow& change);
absl::Status WriteConsumer(Connection& db, const ConsumerRow& consumer);
absl::Status InsertDeadLetter(Connection& db, const DeadLetterRow& dead);
absl::Status DeleteDeadLetter(Connection& db, int64_t sequence);

absl::StatusOr<std::vector<ChangeRow>> ReadChanges(Connection& db, int64_t after, int limit);
absl::StatusOr<std::vector<ChangeRow>> ReadHostChanges(Connection& db, const std::string& host_id);
absl::StatusOr<int64_t> ReadLastChange(Connection& db);
absl::StatusOr<int64_t> ReadMoveCount(Connection& db, const std::string& after_state,
                                      absl::Time since);
absl::StatusOr<std::vector<ConsumerRow>> ReadConsumers(Connection& db);
absl::StatusOr<std::vector<DeadLetterRow>> ReadDeadLetters(Connection& db);

}  // namespace bootgate::gatekeeper::store::sqlite
