#include "gatekeeper/store/sqlite/write.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/store/audit_chain.h"
#include "gatekeeper/store/begun_answer.h"
#include "gatekeeper/store/record_codec.h"
#include "gatekeeper/store/sqlite/changes.h"
#include "gatekeeper/store/sqlite/incidents.h"
#include "gatekeeper/store/sqlite/read.h"

namespace bootgate::gatekeeper::store::sqlite {
namespace {

absl::Status LostRace(const std::string& host_id, uint64_t revision) {
  return absl::AbortedError(
      absl::StrCat("host ", host_id, " is not at revision ", revision, " any more"));
}

absl::Status InsertHost(Connection& db, const host::HostRecord& host) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO hosts (id, revision, trust, approved, last_seen_at, body)"
                 " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"));
  insert.Bind(host.id, static_cast<int64_t>(host.revision), host::Name(host.trust),
              host.approved ? 1 : 0, host.last_seen_at, EncodeHost(host));
  return insert.Run();
}

absl::Status UpdateHost(Connection& db, const host::HostRecord& host, uint64_t read_revision) {
  BG_ASSIGN_OR_RETURN(
      Statement update,
      db.Prepare("UPDATE hosts SET revision = ?, trust = ?, approved = ?, last_seen_at = ?,"
                 " body = ? WHERE id = ? AND revision = ?"));
  update.Bind(static_cast<int64_t>(host.revision), host::Name(host.trust), host.approved ? 1 : 0,
              host.last_seen_at, EncodeHost(host), host.id, static_cast<int64_t>(read_revision));
  return update.Run();
}

// Empty: no such host.
absl::StatusOr<std::string> StoredTrust(Connection& db, const std::string& host_id) {
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare("SELECT trust FROM hosts WHERE id = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(host_id).Step());
  return found ? select.Text(0) : "";
}

// Others are told of a move with the very commit that makes it.
absl::Status TellMove(Connection& db, const std::string& before, const host::HostRecord& host,
                      const Commit& commit) {
  if (before == host::Name(host.trust)) return absl::OkStatus();
  return InsertChange(db, {.at = commit.audit.front().at,
                           .kind = "trust",
                           .host_id = host.id,
                           .before = before,
                           .after = std::string(host::Name(host.trust)),
                           .incident_id = host.incident_id,
                           .why = commit.why.empty() ? host.why : commit.why,
                           .verdict_id = commit.verdict.has_value() ? commit.verdict->id : ""});
}

absl::Status WriteHost(Connection& db, const host::HostRecord& read, const Commit& commit) {
  BG_ASSIGN_OR_RETURN(const std::string trust, StoredTrust(db, read.id));
  host::HostRecord next = read;
  next.revision = read.revision + 1;
  BG_RETURN_IF_ERROR(read.revision == 0 ? InsertHost(db, next)
                                        : UpdateHost(db, next, read.revision));
  if (db.ChangedRows() != 1) return LostRace(read.id, read.revision);
  return TellMove(db, trust, read, commit);
}

absl::Status InsertVerdict(Connection& db, const VerdictRow& verdict) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO verdicts (id, host_id, at, outcome, policy_id, reference_id,"
                 " body_json, reset_count, restart_count, clock_ms)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(verdict.id, verdict.host_id, verdict.at, verdict.outcome, verdict.policy_id,
              verdict.reference_id, verdict.body_json, verdict.boot.reset_count,
              verdict.boot.restart_count, static_cast<int64_t>(verdict.boot.clock_ms));
  return insert.Run();
}

absl::Status InsertBlob(Connection& db, const std::string& name, ByteView bytes) {
  if (crypto::Hash(crypto::HashAlg::kSha256, bytes).hex() != name) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kInternal,
                  "a blob's name is not the digest of its bytes");
  }
  BG_ASSIGN_OR_RETURN(Statement insert, db.Prepare("INSERT INTO blobs (sha256, bytes) VALUES (?, ?)"
                                                   " ON CONFLICT (sha256) DO NOTHING"));
  return insert.Bind(name, bytes).Run();
}

absl::Status InsertCredential(Connection& db, const CredentialRow& credential) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO credentials (serial, host_id, verdict_id, profile, not_before,"
                 " not_after, revoked, revoked_at, kind, issuer)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(credential.serial, credential.host_id, credential.verdict_id, credential.profile,
              credential.not_before, credential.not_after, credential.revoked ? 1 : 0,
              credential.revoked_at, credential.kind, credential.issuer);
  BG_RETURN_IF_ERROR(insert.Run());
  if (!credential.revoked) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(Statement number, db.Prepare("INSERT INTO revocations (serial) VALUES (?)"));
  return number.Bind(credential.serial).Run();
}

// An AK goes on to attest while its host is shut out.
enum class Which { kUsedTowardsOthers, kOfTheTpm };

// What has ended needs no revocation: a year of admissions is tens of thousands of them. Clocks
// that are a day behind still see what a list has to say.
constexpr absl::Duration kEndedFor = absl::Hours(24);

absl::Status RevokeOfHost(Connection& db, const std::string& host_id, Which which, absl::Time at) {
  const int of_tpm = which == Which::kOfTheTpm ? 1 : 0;
  BG_ASSIGN_OR_RETURN(Statement number,
                      db.Prepare("INSERT INTO revocations (serial) SELECT serial FROM credentials"
                                 " WHERE host_id = ? AND revoked = 0 AND (kind IN ('ak', 'ek')) = ?"
                                 " AND not_after > ? ORDER BY serial"));
  BG_RETURN_IF_ERROR(number.Bind(host_id, of_tpm, at - kEndedFor).Run());
  BG_ASSIGN_OR_RETURN(Statement update,
                      db.Prepare("UPDATE credentials SET revoked = 1, revoked_at = ?"
                                 " WHERE host_id = ? AND revoked = 0 AND (kind IN ('ak', 'ek')) = ?"
                                 " AND not_after > ?"));
  return update.Bind(at, host_id, of_tpm, at - kEndedFor).Run();
}

absl::Status RevokeSerial(Connection& db, const std::string& serial, absl::Time at) {
  BG_ASSIGN_OR_RETURN(const CredentialRow row, ReadCredential(db, serial));
  if (row.revoked) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(Statement number, db.Prepare("INSERT INTO revocations (serial) VALUES (?)"));
  BG_RETURN_IF_ERROR(number.Bind(serial).Run());
  BG_ASSIGN_OR_RETURN(
      Statement update,
      db.Prepare("UPDATE credentials SET revoked = 1, revoked_at = ? WHERE serial = ?"));
  return update.Bind(at, serial).Run();
}

absl::Status Revoke(Connection& db, const Commit& commit) {
  const absl::Time at = commit.audit.front().at;
  if (commit.revoke_host_credentials) {
    BG_RETURN_IF_ERROR(RevokeOfHost(db, commit.host->id, Which::kUsedTowardsOthers, at));
  }
  if (commit.revoke_ek_certificates) {
    BG_RETURN_IF_ERROR(RevokeOfHost(db, commit.host->id, Which::kOfTheTpm, at));
  }
  for (const std::string& serial : commit.revoke_serials) {
    BG_RETURN_IF_ERROR(RevokeSerial(db, serial, at));
  }
  return absl::OkStatus();
}

absl::Status InsertEffect(Connection& db, const EffectRow& effect) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO effects (kind, host_id, verdict_id) VALUES (?, ?, ?)"));
  return insert.Bind(effect.kind, effect.host_id, effect.verdict_id).Run();
}

bool HasDocument(Step step) { return step != Step::kEnd && step != Step::kEndReport; }
bool IsAboutReport(Step step) { return step == Step::kReport || step == Step::kEndReport; }

absl::Status CheckStep(const AssignmentRow& assignment) {
  if (HasDocument(assignment.step) == !assignment.document_id.empty()) return absl::OkStatus();
  return Refuse(absl::StatusCode::kInvalidArgument, Reason::kInternal,
                absl::StrCat("step ", Name(assignment.step), " with document '",
                             assignment.document_id, "'"));
}

absl::Status CheckNewest(Connection& db, const std::string& kind, int64_t seen) {
  BG_ASSIGN_OR_RETURN(const int64_t newest, ReadNewestStep(db, kind));
  if (newest == seen) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("somebody else has changed what ", kind, " applies"));
}

absl::Status InsertStep(Connection& db, const AssignmentRow& row) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO steps (kind, selector, document_id, author, at, step, name, version,"
                 " why) VALUES (?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?)"));
  insert.Bind(row.kind, row.selector, row.document_id, row.author, row.at, Name(row.step), row.name,
              row.version, row.why);
  return insert.Run();
}

// The step just inserted, in its effect. What is enforced anew ends what was compared with it.
absl::Status ChangeStanding(Connection& db, const AssignmentRow& row) {
  const int report = IsAboutReport(row.step) ? 1 : 0;
  BG_ASSIGN_OR_RETURN(Statement remove, db.Prepare("DELETE FROM standing WHERE kind = ?"
                                                   " AND selector = ? AND report >= ?"));
  BG_RETURN_IF_ERROR(remove.Bind(row.kind, row.selector, report).Run());
  if (!HasDocument(row.step)) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(Statement insert,
                      db.Prepare("INSERT INTO standing (kind, selector, report, sequence)"
                                 " VALUES (?, ?, ?, last_insert_rowid())"));
  return insert.Bind(row.kind, row.selector, report).Run();
}

absl::Status CheckComplete(const Commit& commit) {
  if (commit.audit.empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kAuditUnavailable,
                  "a commit without an audit row");
  }
  const bool revokes = commit.revoke_host_credentials || commit.revoke_ek_certificates;
  if (revokes && !commit.host.has_value()) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kInternal,
                  "credentials to revoke, but no host");
  }
  if (commit.admitted_evidence.has_value() && !commit.host.has_value()) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kInternal,
                  "evidence that a host was admitted with, but no host");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyCommit(Connection& db, const Commit& commit) {
  BG_RETURN_IF_ERROR(CheckComplete(commit));
  if (commit.step_seen.has_value())
    BG_RETURN_IF_ERROR(CheckNewest(db, commit.step_seen->kind, commit.step_seen->newest));
  if (commit.join_token.has_value()) BG_RETURN_IF_ERROR(UseJoinToken(db, *commit.join_token));
  for (const std::optional<host::HostRecord>* host : {&commit.host, &commit.other_host}) {
    if (host->has_value()) BG_RETURN_IF_ERROR(WriteHost(db, **host, commit));
  }
  for (const DocumentRow& row : commit.documents) BG_RETURN_IF_ERROR(InsertDocument(db, row));
  for (const AssignmentRow& row : commit.steps) BG_RETURN_IF_ERROR(TakeStep(db, row, std::nullopt));
  if (commit.verdict.has_value()) BG_RETURN_IF_ERROR(InsertVerdict(db, *commit.verdict));
  for (const auto& [name, bytes] : commit.blobs) BG_RETURN_IF_ERROR(InsertBlob(db, name, bytes));
  // Before the new ones: a commit may replace all credentials of a host.
  BG_RETURN_IF_ERROR(Revoke(db, commit));
  for (const CredentialRow& row : commit.issued) BG_RETURN_IF_ERROR(InsertCredential(db, row));
  BG_RETURN_IF_ERROR(WriteIncident(db, commit));
  if (commit.admitted_evidence.has_value()) {
    BG_RETURN_IF_ERROR(ReplaceEvidence(db, commit.host->id, *commit.admitted_evidence));
  }
  for (const ChangeRow& row : commit.changes) BG_RETURN_IF_ERROR(InsertChange(db, row));
  for (const EffectRow& row : commit.effects) BG_RETURN_IF_ERROR(InsertEffect(db, row));
  for (const AuditRow& row : commit.audit) BG_RETURN_IF_ERROR(AppendAudit(db, row));
  return absl::OkStatus();
}

absl::Status AppendAudit(Connection& db, const AuditRow& row) {
  BG_ASSIGN_OR_RETURN(const AuditHead head, ReadAuditHead(db));
  AuditRow next = row;
  next.sequence = head.sequence + 1;
  next.chain = ChainValue(head.chain, next);
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO audit (sequence, at, actor, action, subject, detail_json, chain)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(next.sequence, next.at, next.actor, next.action, next.subject, next.detail_json,
              next.chain);
  BG_RETURN_IF_ERROR(insert.Run());
  BG_ASSIGN_OR_RETURN(Statement update,
                      db.Prepare("UPDATE audit_head SET sequence = ?, chain = ? WHERE one = 1"));
  return update.Bind(next.sequence, next.chain).Run();
}

absl::Status InsertJoinToken(Connection& db, const JoinToken& token) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO join_tokens (id, secret_sha256, labels, uses_left, expires_at,"
                 " created_at, approves, uses, author, revoked_at)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(token.id, token.secret_sha256, EncodeLabels(token.labels), token.uses_left,
              token.expires_at, token.created_at, token.approves ? 1 : 0,
              token.uses > 0 ? token.uses : token.uses_left, token.author, token.revoked_at);
  return insert.Run();
}

absl::Status UseJoinToken(Connection& db, const JoinTokenUse& use) {
  BG_RETURN_IF_ERROR(ReadUsableJoinToken(db, use).status());
  BG_ASSIGN_OR_RETURN(Statement update,
                      db.Prepare("UPDATE join_tokens SET uses_left = uses_left - 1 WHERE id = ?"));
  return update.Bind(use.id).Run();
}

absl::Status EndJoinToken(Connection& db, const std::string& id, absl::Time at) {
  BG_ASSIGN_OR_RETURN(
      Statement update,
      db.Prepare("UPDATE join_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?"));
  BG_RETURN_IF_ERROR(update.Bind(at, id).Run());
  if (db.ChangedRows() == 1) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("no join token ", id));
}

absl::StatusOr<InventoryChange> WriteInventory(Connection& db,
                                               const std::vector<InventoryRow>& rows) {
  BG_ASSIGN_OR_RETURN(const int64_t before, ReadInventoryCount(db));
  for (const InventoryRow& row : rows) {
    BG_ASSIGN_OR_RETURN(Statement insert,
                        db.Prepare("INSERT INTO inventory (ek, labels, source, author, added_at)"
                                   " VALUES (?, ?, ?, ?, ?) ON CONFLICT (ek) DO UPDATE SET"
                                   " labels = excluded.labels, source = excluded.source,"
                                   " author = excluded.author, added_at = excluded.added_at"));
    insert.Bind(row.ek, EncodeLabels(row.labels), row.source, row.author, row.added_at);
    BG_RETURN_IF_ERROR(insert.Run());
  }
  BG_ASSIGN_OR_RETURN(const int64_t after, ReadInventoryCount(db));
  const int64_t added = after - before;
  return InventoryChange{.added = added, .replaced = static_cast<int64_t>(rows.size()) - added};
}

absl::Status RemoveFromInventory(Connection& db, const std::vector<std::string>& eks) {
  for (const std::string& ek : eks) {
    BG_ASSIGN_OR_RETURN(Statement remove, db.Prepare("DELETE FROM inventory WHERE ek = ?"));
    BG_RETURN_IF_ERROR(remove.Bind(ek).Run());
    if (db.ChangedRows() != 1) {
      return absl::NotFoundError(absl::StrCat("no inventory entry ", ek));
    }
  }
  return absl::OkStatus();
}

absl::Status InsertDocument(Connection& db, const DocumentRow& document) {
  BG_ASSIGN_OR_RETURN(Statement insert,
                      db.Prepare("INSERT INTO documents (kind, id, name, text, author, created_at)"
                                 " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO NOTHING"));
  insert.Bind(document.kind, document.id, document.name, document.text, document.author,
              document.created_at);
  BG_RETURN_IF_ERROR(insert.Run());
  if (db.ChangedRows() == 1) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const DocumentRow stored, ReadDocument(db, document.kind, document.id));
  if (stored.text == document.text) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat(document.kind, " ", document.id, " is stored with another text"));
}

absl::Status InsertVersion(Connection& db, const VersionRow& version) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare(
          "INSERT INTO versions (kind, name, version, document_id, author, at, upload,"
          " signer) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ?3 - 1 ="
          " (SELECT coalesce(max(version), 0) FROM versions WHERE kind = ?1 AND name = ?2)"));
  insert.Bind(version.kind, version.name, version.version, version.document_id, version.author,
              version.at, version.upload, version.signer);
  BG_RETURN_IF_ERROR(insert.Run());
  if (db.ChangedRows() == 1) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(version.kind, " ", version.name, " has another version ",
                                         version.version, " now, or none before it"));
}

absl::Status TakeStep(Connection& db, const AssignmentRow& assignment,
                      std::optional<int64_t> after) {
  BG_RETURN_IF_ERROR(CheckStep(assignment));
  if (after.has_value()) BG_RETURN_IF_ERROR(CheckNewest(db, assignment.kind, *after));
  BG_RETURN_IF_ERROR(InsertStep(db, assignment));
  return ChangeStanding(db, assignment);
}

absl::Status InsertAnswer(Connection& db, const AnswerRow& answer, absl::Time forget_before) {
  BG_ASSIGN_OR_RETURN(Statement forget, db.Prepare("DELETE FROM answers WHERE at < ?"));
  BG_RETURN_IF_ERROR(forget.Bind(forget_before).Run());
  BG_ASSIGN_OR_RETURN(Statement insert,
                      db.Prepare("INSERT INTO answers (actor, key, request_sha256, answer, at)"
                                 " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (actor, key) DO UPDATE"
                                 " SET answer = ?4, at = ?5"
                                 " WHERE answer = ?6 AND request_sha256 = ?3 AND ?4 <> ?6"));
  insert.Bind(answer.actor, answer.key, answer.request_sha256, answer.answer, answer.at,
              BegunAnswer());
  BG_RETURN_IF_ERROR(insert.Run());
  if (db.ChangedRows() == 0) return absl::AlreadyExistsError("this key has its answer");
  return absl::OkStatus();
}

absl::Status InsertCheckpoint(Connection& db, const CheckpointRow& checkpoint) {
  BG_ASSIGN_OR_RETURN(
      Statement insert,
      db.Prepare("INSERT INTO checkpoints (sequence, key_id, at, chain, signature)"
                 " VALUES (?, ?, ?, ?, ?) ON CONFLICT (sequence, key_id) DO NOTHING"));
  insert.Bind(checkpoint.sequence, checkpoint.key_id, checkpoint.at, checkpoint.chain,
              checkpoint.signature);
  return insert.Run();
}

absl::Status RemoveEffect(Connection& db, int64_t sequence) {
  BG_ASSIGN_OR_RETURN(Statement remove, db.Prepare("DELETE FROM effects WHERE sequence = ?"));
  return remove.Bind(sequence).Run();
}

}  // namespace bootgate::gatekeeper::store::sqlite
