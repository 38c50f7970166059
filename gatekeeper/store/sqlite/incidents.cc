#include "gatekeeper/store/sqlite/incidents.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/record_codec.h"
#include "gatekeeper/store/sqlite/rows.h"

namespace bootgate::gatekeeper::store::sqlite {
namespace {

constexpr char kClosed[] = "closed";

absl::StatusOr<IncidentRow> IncidentFrom(const Statement& row) {
  IncidentRow incident;
  incident.id = row.Text(0);
  incident.host_id = row.Text(1);
  incident.first_verdict_id = row.Text(2);
  incident.last_verdict_id = row.Text(3);
  incident.opened_at = row.Time(4);
  incident.last_at = row.Time(5);
  incident.failures = row.Int(6);
  incident.state = row.Text(7);
  incident.why = row.Text(8);
  absl::StatusOr<std::vector<std::string>> reasons = DecodeTexts(row.Blob(9));
  if (!reasons.ok()) return Corrupt("incident", incident.id, reasons.status().message());
  incident.reasons = *std::move(reasons);
  incident.revision = static_cast<uint64_t>(row.Int(10));
  incident.action = row.Text(11);
  incident.opened_by = row.Text(12);
  incident.assignee = row.Text(13);
  incident.root_cause = row.Text(14);
  incident.disposition = row.Text(15);
  incident.ticket = row.Text(16);
  incident.resolved_by = row.Text(17);
  incident.approved_by = row.Text(18);
  incident.resolved_at = row.MaybeTime(19);
  incident.approved_at = row.MaybeTime(20);
  incident.closed_at = row.MaybeTime(21);
  return incident;
}

absl::StatusOr<IncidentEventRow> EventFrom(const Statement& row) {
  return IncidentEventRow{.sequence = row.Int(0),
                          .incident_id = row.Text(1),
                          .at = row.Time(2),
                          .actor = row.Text(3),
                          .kind = row.Text(4),
                          .text = row.Text(5)};
}

absl::StatusOr<bool> IsStored(Connection& db, const std::string& id) {
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare("SELECT 1 FROM incidents WHERE id = ?"));
  return select.Bind(id).Step();
}

absl::Status ReplaceIncident(Connection& db, const IncidentRow& incident) {
  BG_ASSIGN_OR_RETURN(
      Statement update,
      db.Prepare("UPDATE incidents SET first_verdict_id = ?, last_verdict_id = ?, opened_at = ?,"
                 " last_at = ?, failures = ?, state = ?, why = ?, reasons = ?, action = ?,"
                 " opened_by = ?, assignee = ?, root_cause = ?, disposition = ?, ticket = ?,"
                 " resolved_by = ?, approved_by = ?, resolved_at = ?, approved_at = ?,"
                 " closed_at = ?, revision = revision + 1"
                 " WHERE id = ? AND host_id = ? AND revision = ?"));
  update.Bind(incident.first_verdict_id, incident.last_verdict_id, incident.opened_at,
              incident.last_at, incident.failures, incident.state, incident.why,
              EncodeTexts(incident.reasons), incident.action, incident.opened_by, incident.assignee,
              incident.root_cause, incident.disposition, incident.ticket, incident.resolved_by,
              incident.approved_by, incident.resolved_at, incident.approved_at, incident.closed_at,
              incident.id, incident.host_id, static_cast<int64_t>(incident.revision));
  BG_RETURN_IF_ERROR(update.Run());
  if (db.ChangedRows() == 1) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("incident ", incident.id, " is not at revision ",
                                         incident.revision, " any more"));
}

// The id of the host's incident that took the failure in; empty: it has none that is not closed.
absl::StatusOr<std::string> FoldIncident(Connection& db, const IncidentRow& incident) {
  BG_ASSIGN_OR_RETURN(
      Statement update,
      db.Prepare("UPDATE incidents SET last_verdict_id = ?, last_at = ?, failures = failures + 1,"
                 " reasons = ?, revision = revision + 1 WHERE host_id = ? AND state != ?"
                 " RETURNING id"));
  update.Bind(incident.last_verdict_id, incident.last_at, EncodeTexts(incident.reasons),
              incident.host_id, kClosed);
  BG_ASSIGN_OR_RETURN(const bool folded, update.Step());
  std::string id = folded ? update.Text(0) : "";
  BG_RETURN_IF_ERROR(update.Run());
  return id;
}

absl::Status InsertIncident(Connection& db, const IncidentRow& incident) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO incidents (id, host_id, first_verdict_id, last_verdict_id,"
                 " opened_at, last_at, failures, state, why, reasons, action, opened_by, assignee,"
                 " root_cause, disposition, ticket, resolved_by, approved_by, resolved_at,"
                 " approved_at, closed_at, revision)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"));
  insert.Bind(incident.id, incident.host_id, incident.first_verdict_id, incident.last_verdict_id,
              incident.opened_at, incident.last_at, incident.failures, incident.state, incident.why,
              EncodeTexts(incident.reasons), incident.action, incident.opened_by, incident.assignee,
              incident.root_cause, incident.disposition, incident.ticket, incident.resolved_by,
              incident.approved_by, incident.resolved_at, incident.approved_at, incident.closed_at);
  return insert.Run();
}

// The id that it is stored under: its own, or of the one it was folded into.
absl::StatusOr<std::string> Store(Connection& db, const IncidentRow& incident) {
  BG_ASSIGN_OR_RETURN(const bool stored, IsStored(db, incident.id));
  if (stored) {
    BG_RETURN_IF_ERROR(ReplaceIncident(db, incident));
    return incident.id;
  }
  BG_ASSIGN_OR_RETURN(std::string folded, FoldIncident(db, incident));
  if (!folded.empty()) return folded;
  BG_RETURN_IF_ERROR(InsertIncident(db, incident));
  return incident.id;
}

absl::Status InsertEvent(Connection& db, const IncidentEventRow& event,
                         const std::string& written) {
  BG_ASSIGN_OR_RETURN(Statement insert,
                      db.Prepare("INSERT INTO incident_events (incident_id, at, actor, kind, text)"
                                 " VALUES (?, ?, ?, ?, ?)"));
  insert.Bind(event.incident_id.empty() ? written : event.incident_id, event.at, event.actor,
              event.kind, event.text);
  return insert.Run();
}

absl::Status AddEvidence(Connection& db, const std::string& owner, const EvidenceParts& parts) {
  for (const auto& [part, sha256] : parts) {
    BG_ASSIGN_OR_RETURN(Statement insert,
                        db.Prepare("INSERT INTO evidence (owner, part, sha256) VALUES (?, ?, ?)"
                                   " ON CONFLICT (owner, part) DO NOTHING"));
    BG_RETURN_IF_ERROR(insert.Bind(owner, part, sha256).Run());
  }
  return absl::OkStatus();
}

// Blobs of these that nothing names any more. Gives how many went.
absl::StatusOr<int64_t> DropUnnamed(Connection& db, const EvidenceParts& parts) {
  int64_t dropped = 0;
  for (const auto& [part, sha256] : parts) {
    BG_ASSIGN_OR_RETURN(Statement remove,
                        db.Prepare("DELETE FROM blobs WHERE sha256 = ?1 AND NOT EXISTS"
                                   " (SELECT 1 FROM evidence WHERE sha256 = ?1)"));
    BG_RETURN_IF_ERROR(remove.Bind(sha256).Run());
    dropped += db.ChangedRows();
  }
  return dropped;
}

constexpr char kColumns[] =
    "SELECT id, host_id, first_verdict_id, last_verdict_id, opened_at, last_at, failures, state,"
    " why, reasons, revision, action, opened_by, assignee, root_cause, disposition, ticket,"
    " resolved_by, approved_by, resolved_at, approved_at, closed_at FROM incidents ";

}  // namespace

absl::Status WriteIncident(Connection& db, const Commit& commit) {
  std::string written;
  if (commit.incident.has_value()) {
    BG_ASSIGN_OR_RETURN(written, Store(db, *commit.incident));
    BG_RETURN_IF_ERROR(AddEvidence(db, written, commit.incident_evidence));
  } else if (!commit.incident_evidence.empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kInternal,
                  "evidence of an incident, but no incident");
  }
  for (const IncidentEventRow& event : commit.incident_events) {
    BG_RETURN_IF_ERROR(InsertEvent(db, event, written));
  }
  return absl::OkStatus();
}

absl::Status ReplaceEvidence(Connection& db, const std::string& owner, const EvidenceParts& parts) {
  BG_ASSIGN_OR_RETURN(const EvidenceParts before, ReadEvidence(db, owner));
  BG_ASSIGN_OR_RETURN(Statement remove, db.Prepare("DELETE FROM evidence WHERE owner = ?"));
  BG_RETURN_IF_ERROR(remove.Bind(owner).Run());
  BG_RETURN_IF_ERROR(AddEvidence(db, owner, parts));
  return DropUnnamed(db, before).status();
}

absl::StatusOr<int64_t> RemoveEvidence(Connection& db, const std::string& owner) {
  BG_ASSIGN_OR_RETURN(const EvidenceParts before, ReadEvidence(db, owner));
  BG_ASSIGN_OR_RETURN(Statement remove, db.Prepare("DELETE FROM evidence WHERE owner = ?"));
  BG_RETURN_IF_ERROR(remove.Bind(owner).Run());
  return DropUnnamed(db, before);
}

absl::StatusOr<IncidentRow> ReadIncident(Connection& db, const std::string& id) {
  static const std::string& sql = *new std::string(absl::StrCat(kColumns, "WHERE id = ?"));
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare(sql.c_str()));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(id).Step());
  if (!found) return Missing("incident", id);
  return IncidentFrom(select);
}

absl::StatusOr<std::vector<IncidentRow>> ReadIncidents(Connection& db, const std::string& host_id) {
  static const std::string& all_sql =
      *new std::string(absl::StrCat(kColumns, "ORDER BY opened_at, id"));
  static const std::string& host_sql =
      *new std::string(absl::StrCat(kColumns, "WHERE host_id = ? ORDER BY opened_at, id"));
  const bool all = host_id.empty();
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare((all ? all_sql : host_sql).c_str()));
  if (!all) select.Bind(host_id);
  return AllRows(select, IncidentFrom);
}

absl::StatusOr<std::vector<IncidentEventRow>> ReadIncidentEvents(Connection& db,
                                                                 const std::string& incident_id) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT sequence, incident_id, at, actor, kind, text FROM incident_events"
                 " WHERE incident_id = ? ORDER BY sequence"));
  select.Bind(incident_id);
  return AllRows(select, EventFrom);
}

absl::StatusOr<EvidenceParts> ReadEvidence(Connection& db, const std::string& owner) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT part, sha256 FROM evidence WHERE owner = ?"));
  select.Bind(owner);
  EvidenceParts parts;
  for (;;) {
    BG_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) return parts;
    parts.emplace(select.Text(0), select.Text(1));
  }
}

}  // namespace bootgate::gatekeeper::store::sqlite
