#include "gatekeeper/store/sqlite/changes.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/sqlite/rows.h"

namespace bootgate::gatekeeper::store::sqlite {
namespace {

absl::StatusOr<ChangeRow> ChangeFrom(const Statement& row) {
  return ChangeRow{.sequence = row.Int(0),
                   .at = row.Time(1),
                   .kind = row.Text(2),
                   .host_id = row.Text(3),
                   .before = row.Text(4),
                   .after = row.Text(5),
                   .incident_id = row.Text(6),
                   .why = row.Text(7),
                   .verdict_id = row.Text(8)};
}

absl::StatusOr<ConsumerRow> ConsumerFrom(const Statement& row) {
  return ConsumerRow{.name = row.Text(0),
                     .told = row.Int(1),
                     .attempts = row.Int(2),
                     .next_attempt = row.Time(3),
                     .last_error = row.Text(4)};
}

absl::StatusOr<DeadLetterRow> DeadLetterFrom(const Statement& row) {
  return DeadLetterRow{.sequence = row.Int(0),
                       .consumer = row.Text(1),
                       .change = row.Int(2),
                       .at = row.Time(3),
                       .attempts = row.Int(4),
                       .error = row.Text(5)};
}

}  // namespace

absl::Status InsertChange(Connection& db, const ChangeRow& change) {
  BG_ASSIGN_OR_RETURN(Statement insert,
                      db.Prepare("INSERT INTO changes"
                                 " (at, kind, host_id, before, after, incident_id, why, verdict_id)"
                                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(change.at, change.kind, change.host_id, change.before, change.after,
              change.incident_id, change.why, change.verdict_id);
  return insert.Run();
}

absl::Status WriteConsumer(Connection& db, const ConsumerRow& consumer) {
  BG_ASSIGN_OR_RETURN(
      Statement write,
      db.Prepare("INSERT INTO consumers (name, told, attempts, next_attempt, last_error)"
                 " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET told = excluded.told,"
                 " attempts = excluded.attempts, next_attempt = excluded.next_attempt,"
                 " last_error = excluded.last_error"));
  write.Bind(consumer.name, consumer.told, consumer.attempts, consumer.next_attempt,
             consumer.last_error);
  return write.Run();
}

absl::Status InsertDeadLetter(Connection& db, const DeadLetterRow& dead) {
  BG_ASSIGN_OR_RETURN(Statement insert,
                      db.Prepare("INSERT INTO dead_letters (consumer, change, at, attempts, error)"
                                 " VALUES (?, ?, ?, ?, ?)"));
  return insert.Bind(dead.consumer, dead.change, dead.at, dead.attempts, dead.error).Run();
}

absl::Status DeleteDeadLetter(Connection& db, int64_t sequence) {
  BG_ASSIGN_OR_RETURN(Statement remove, db.Prepare("DELETE FROM dead_letters WHERE sequence = ?"));
  BG_RETURN_IF_ERROR(remove.Bind(sequence).Run());
  if (db.ChangedRows() == 1) return absl::OkStatus();
  return Missing("dead letter", absl::StrCat(sequence));
}

absl::StatusOr<std::vector<ChangeRow>> ReadChanges(Connection& db, int64_t after, int limit) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT sequence, at, kind, host_id, before, after, incident_id, why, verdict_id"
                 " FROM changes WHERE sequence > ? ORDER BY sequence LIMIT ?"));
  select.Bind(after, limit);
  return AllRows(select, ChangeFrom);
}

absl::StatusOr<std::vector<ChangeRow>> ReadHostChanges(Connection& db, const std::string& host_id) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT sequence, at, kind, host_id, before, after, incident_id, why, verdict_id"
                 " FROM changes WHERE host_id = ? ORDER BY sequence"));
  select.Bind(host_id);
  return AllRows(select, ChangeFrom);
}

absl::StatusOr<int64_t> ReadLastChange(Connection& db) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT coalesce(max(sequence), 0) FROM changes"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Step());
  return found ? select.Int(0) : 0;
}

absl::StatusOr<int64_t> ReadMoveCount(Connection& db, const std::string& after_state,
                                      absl::Time since) {
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare("SELECT count(DISTINCT host_id) FROM changes"
                                                   " WHERE kind = 'trust' AND after = ? AND at >= ?"
                                                   " AND verdict_id != ''"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(after_state, since).Step());
  return found ? select.Int(0) : 0;
}

absl::StatusOr<std::vector<ConsumerRow>> ReadConsumers(Connection& db) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT name, told, attempts, next_attempt, last_error FROM consumers"
                 " ORDER BY name"));
  return AllRows(select, ConsumerFrom);
}

absl::StatusOr<std::vector<DeadLetterRow>> ReadDeadLetters(Connection& db) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT sequence, consumer, change, at, attempts, error FROM dead_letters"
                 " ORDER BY sequence"));
  return AllRows(select, DeadLetterFrom);
}

}  // namespace bootgate::gatekeeper::store::sqlite
