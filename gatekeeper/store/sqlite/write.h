// What the writer thread does: each function is one piece of work inside a transaction.
//
// An error means that its savepoint is rolled back; nothing here cleans up after itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gatekeeper/store/sqlite/connection.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store::sqlite {

absl::Status ApplyCommit(Connection& db, const Commit& commit);
absl::Status AppendAudit(Connection& db, const AuditRow& row);  // gives sequence and chain itself

absl::Status InsertJoinToken(Connection& db, const JoinToken& token);
absl::Status UseJoinToken(Connection& db, const JoinTokenUse& use);
absl::Status EndJoinToken(Connection& db, const std::string& id, absl::Time at);

absl::StatusOr<InventoryChange> WriteInventory(Connection& db,
                                               const std::vector<InventoryRow>& rows);
absl::Status RemoveFromInventory(Connection& db, const std::vector<std::string>& eks);

absl::Status InsertDocument(Connection& db, const DocumentRow& document);
absl::Status InsertVersion(Connection& db, const VersionRow& version);
absl::Status TakeStep(Connection& db, const AssignmentRow& assignment,
                      std::optional<int64_t> after);
// Those from before `forget_before` go.
absl::Status InsertAnswer(Connection& db, const AnswerRow& answer, absl::Time forget_before);
absl::Status InsertCheckpoint(Connection& db, const CheckpointRow& checkpoint);
absl::Status RemoveEffect(Connection& db, int64_t sequence);

}  // namespace bootgate::gatekeeper::store::sqlite
