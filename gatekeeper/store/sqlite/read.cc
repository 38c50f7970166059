#include "gatekeeper/store/sqlite/read.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/secret_bytes.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/store/record_codec.h"
#include "gatekeeper/store/sqlite/rows.h"

namespace bootgate::gatekeeper::store::sqlite {
namespace {

// Columns: id, revision, trust, approved, body. What the columns say must be what the body says:
// a trust state that was edited by hand is not believed.
absl::StatusOr<host::HostRecord> HostFrom(const Statement& row) {
  const std::string id = row.Text(0);
  absl::StatusOr<host::HostRecord> host = DecodeHost(row.Blob(4));
  if (!host.ok()) return Corrupt("host", id, host.status().message());
  const bool agree = host->id == id && host->revision == static_cast<uint64_t>(row.Int(1)) &&
                     host::Name(host->trust) == row.Text(2) && host->approved == (row.Int(3) != 0);
  if (!agree) return Corrupt("host", id, "its columns do not say what its record says");
  return host;
}

// Nothing to choose from: every one. A name that is no state's belongs to a corrupt row: told.
bool IsOneOf(const std::vector<host::Trust>& trusts, const std::string& name) {
  const std::optional<host::Trust> trust = host::TrustFromName(name);
  return trusts.empty() || !trust.has_value() ||
         std::find(trusts.begin(), trusts.end(), *trust) != trusts.end();
}

absl::StatusOr<VerdictRow> VerdictFrom(const Statement& row) {
  VerdictRow verdict;
  verdict.id = row.Text(0);
  verdict.host_id = row.Text(1);
  verdict.at = row.Time(2);
  verdict.outcome = row.Text(3);
  verdict.policy_id = row.Text(4);
  verdict.reference_id = row.Text(5);
  verdict.body_json = row.Text(6);
  verdict.boot.reset_count = static_cast<uint32_t>(row.Int(7));
  verdict.boot.restart_count = static_cast<uint32_t>(row.Int(8));
  verdict.boot.clock_ms = static_cast<uint64_t>(row.Int(9));
  return verdict;
}

absl::StatusOr<CheckpointRow> CheckpointFrom(const Statement& row) {
  return CheckpointRow{.sequence = row.Int(0),
                       .at = row.Time(1),
                       .chain = row.Blob(2),
                       .key_id = row.Text(3),
                       .signature = row.Blob(4)};
}

absl::StatusOr<CredentialRow> CredentialFrom(const Statement& row) {
  CredentialRow credential;
  credential.serial = row.Text(0);
  credential.host_id = row.Text(1);
  credential.verdict_id = row.Text(2);
  credential.profile = row.Text(3);
  credential.not_before = row.Time(4);
  credential.not_after = row.Time(5);
  credential.revoked = row.Int(6) != 0;
  credential.revoked_at = row.MaybeTime(7);
  credential.kind = row.Text(8);
  credential.issuer = row.Text(9);
  return credential;
}

// Columns of a credential, then its number.
absl::StatusOr<RevokedRow> RevokedFrom(const Statement& row) {
  RevokedRow revoked;
  BG_ASSIGN_OR_RETURN(revoked.credential, CredentialFrom(row));
  revoked.number = row.Int(10);
  return revoked;
}

absl::StatusOr<InventoryRow> InventoryFrom(const Statement& row) {
  InventoryRow entry;
  entry.ek = row.Text(0);
  absl::StatusOr<Labels> labels = DecodeLabels(row.Blob(1));
  if (!labels.ok()) return Corrupt("inventory entry", entry.ek, labels.status().message());
  entry.labels = *std::move(labels);
  entry.source = row.Text(2);
  entry.author = row.Text(3);
  entry.added_at = row.Time(4);
  return entry;
}

absl::StatusOr<DocumentRow> DocumentFrom(const Statement& row) {
  return DocumentRow{.kind = row.Text(0),
                     .id = row.Text(1),
                     .name = row.Text(2),
                     .text = row.Text(3),
                     .author = row.Text(4),
                     .created_at = row.Time(5)};
}

absl::StatusOr<AssignmentRow> AssignmentFrom(const Statement& row) {
  AssignmentRow assignment;
  assignment.sequence = row.Int(0);
  assignment.kind = row.Text(1);
  assignment.selector = row.Text(2);
  assignment.document_id = row.Text(3);
  assignment.author = row.Text(4);
  assignment.at = row.Time(5);
  const std::optional<Step> step = StepFromName(row.Text(6));
  if (!step.has_value()) {
    return Corrupt("step", absl::StrCat(assignment.sequence), "there is no such step");
  }
  assignment.step = *step;
  assignment.name = row.Text(7);
  assignment.version = row.Int(8);
  assignment.why = row.Text(9);
  return assignment;
}

absl::StatusOr<VersionRow> VersionFrom(const Statement& row) {
  return VersionRow{.kind = row.Text(0),
                    .name = row.Text(1),
                    .version = row.Int(2),
                    .document_id = row.Text(3),
                    .author = row.Text(4),
                    .at = row.Time(5),
                    .upload = row.Text(6),
                    .signer = row.Text(7)};
}

absl::StatusOr<EffectRow> EffectFrom(const Statement& row) {
  return EffectRow{.sequence = row.Int(0),
                   .kind = row.Text(1),
                   .host_id = row.Text(2),
                   .verdict_id = row.Text(3)};
}

absl::StatusOr<AuditRow> AuditFrom(const Statement& row) {
  return AuditRow{.sequence = row.Int(0),
                  .at = row.Time(1),
                  .actor = row.Text(2),
                  .action = row.Text(3),
                  .subject = row.Text(4),
                  .detail_json = row.Text(5),
                  .chain = row.Blob(6)};
}

absl::StatusOr<JoinToken> JoinTokenFrom(const Statement& row) {
  JoinToken token;
  token.id = row.Text(0);
  token.secret_sha256 = row.Blob(1);
  absl::StatusOr<Labels> labels = DecodeLabels(row.Blob(2));
  if (!labels.ok()) return Corrupt("join token", token.id, labels.status().message());
  token.labels = *std::move(labels);
  token.uses_left = static_cast<int>(row.Int(3));
  token.expires_at = row.Time(4);
  token.created_at = row.Time(5);
  token.approves = row.Int(6) != 0;
  token.uses = static_cast<int>(row.Int(7));
  token.author = row.Text(8);
  token.revoked_at = row.MaybeTime(9);
  return token;
}

}  // namespace

absl::StatusOr<host::HostRecord> ReadHost(Connection& db, const std::string& id) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT id, revision, trust, approved, body FROM hosts WHERE id = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(id).Step());
  if (!found) return Missing("host", id);
  return HostFrom(select);
}

absl::StatusOr<std::vector<host::HostRecord>> ReadHosts(Connection& db,
                                                        std::vector<std::string>* corrupt) {
  return ReadHostsAfter(db, "", std::numeric_limits<int>::max(), {}, corrupt);
}

absl::StatusOr<std::vector<host::HostRecord>> ReadHostsAfter(Connection& db,
                                                             const std::string& after, int limit,
                                                             const std::vector<host::Trust>& trusts,
                                                             std::vector<std::string>* corrupt) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT id, revision, trust, approved, body FROM hosts WHERE id > ? ORDER BY id"));
  select.Bind(after);
  std::vector<host::HostRecord> hosts;
  while (hosts.size() < static_cast<size_t>(std::max(limit, 0))) {
    BG_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) break;
    if (!IsOneOf(trusts, select.Text(2))) continue;
    absl::StatusOr<host::HostRecord> host = HostFrom(select);
    if (host.ok()) {
      hosts.push_back(*std::move(host));
    } else if (corrupt != nullptr) {
      corrupt->push_back(select.Text(0));
    }
  }
  return hosts;
}

absl::StatusOr<std::map<host::Trust, int64_t>> ReadHostCounts(Connection& db) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT trust, COUNT(*) FROM hosts GROUP BY trust"));
  std::map<host::Trust, int64_t> counts;
  for (;;) {
    BG_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) return counts;
    // A state of another name is a corrupt record: it is told where records are read.
    const std::optional<host::Trust> trust = host::TrustFromName(select.Text(0));
    if (trust.has_value()) counts[*trust] = select.Int(1);
  }
}

absl::StatusOr<VerdictRow> ReadVerdict(Connection& db, const std::string& id) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT id, host_id, at, outcome, policy_id, reference_id, body_json,"
                 " reset_count, restart_count, clock_ms FROM verdicts WHERE id = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(id).Step());
  if (!found) return Missing("verdict", id);
  return VerdictFrom(select);
}

absl::StatusOr<std::vector<VerdictRow>> ReadVerdicts(Connection& db, const std::string& host_id,
                                                     const std::string& behind, int limit) {
  if (!behind.empty()) BG_RETURN_IF_ERROR(ReadVerdict(db, behind).status());
  // Of their own, so that each is answered from an index, however long the table is.
  static constexpr const char* kOfAll[] = {
      "SELECT id, host_id, at, outcome, policy_id, reference_id, body_json, reset_count,"
      " restart_count, clock_ms FROM verdicts WHERE ?1 = '' AND ?2 = ''"
      " ORDER BY at DESC, id DESC LIMIT ?3",
      "SELECT id, host_id, at, outcome, policy_id, reference_id, body_json, reset_count,"
      " restart_count, clock_ms FROM verdicts WHERE ?1 = ''"
      " AND (at, id) < (SELECT at, id FROM verdicts WHERE id = ?2)"
      " ORDER BY at DESC, id DESC LIMIT ?3"};
  static constexpr const char* kOfHost[] = {
      "SELECT id, host_id, at, outcome, policy_id, reference_id, body_json, reset_count,"
      " restart_count, clock_ms FROM verdicts WHERE host_id = ?1 AND ?2 = ''"
      " ORDER BY at DESC, id DESC LIMIT ?3",
      "SELECT id, host_id, at, outcome, policy_id, reference_id, body_json, reset_count,"
      " restart_count, clock_ms FROM verdicts WHERE host_id = ?1"
      " AND (at, id) < (SELECT at, id FROM verdicts WHERE id = ?2)"
      " ORDER BY at DESC, id DESC LIMIT ?3"};
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare((host_id.empty() ? kOfAll : kOfHost)[behind.empty() ? 0 : 1]));
  select.Bind(host_id, behind, limit);
  return AllRows(select, VerdictFrom);
}

absl::StatusOr<std::vector<CredentialRow>> ReadCredentials(Connection& db,
                                                           const std::string& host_id) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT serial, host_id, verdict_id, profile, not_before, not_after, revoked,"
                 " revoked_at, kind, issuer FROM credentials WHERE host_id = ?"
                 " ORDER BY not_before, serial"));
  select.Bind(host_id);
  return AllRows(select, CredentialFrom);
}

absl::StatusOr<CredentialRow> ReadCredential(Connection& db, const std::string& serial) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT serial, host_id, verdict_id, profile, not_before, not_after, revoked,"
                 " revoked_at, kind, issuer FROM credentials WHERE serial = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(serial).Step());
  if (!found) return Missing("credential", serial);
  return CredentialFrom(select);
}

absl::StatusOr<std::vector<RevokedRow>> ReadRevoked(Connection& db, int64_t after, absl::Time now) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT serial, host_id, verdict_id, profile, not_before, not_after, revoked,"
                 " revoked_at, kind, issuer, number FROM revocations JOIN credentials"
                 " USING (serial) WHERE number > ? AND not_after > ? ORDER BY number"));
  select.Bind(after, now);
  return AllRows(select, RevokedFrom);
}

absl::StatusOr<int64_t> ReadLastRevocation(Connection& db) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT coalesce(max(number), 0) FROM revocations"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Step());
  return found ? select.Int(0) : 0;
}

absl::StatusOr<bool> ReadIsRevoked(Connection& db, const std::string& serial) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT revoked FROM credentials WHERE serial = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(serial).Step());
  return !found || select.Int(0) != 0;
}

absl::StatusOr<Bytes> ReadBlob(Connection& db, const std::string& sha256_hex) {
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare("SELECT bytes FROM blobs WHERE sha256 = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(sha256_hex).Step());
  if (!found) return Missing("blob", sha256_hex);
  Bytes bytes = select.Blob(0);
  if (crypto::Hash(crypto::HashAlg::kSha256, bytes).hex() != sha256_hex) {
    return Corrupt("blob", sha256_hex, "its bytes have another digest");
  }
  return bytes;
}

absl::StatusOr<JoinToken> ReadJoinToken(Connection& db, const std::string& id) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT id, secret_sha256, labels, uses_left, expires_at, created_at, approves,"
                 " uses, author, revoked_at FROM join_tokens WHERE id = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(id).Step());
  if (!found) return Missing("join token", id);
  return JoinTokenFrom(select);
}

absl::StatusOr<std::vector<JoinToken>> ReadJoinTokens(Connection& db) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT id, secret_sha256, labels, uses_left, expires_at, created_at, approves,"
                 " uses, author, revoked_at FROM join_tokens ORDER BY created_at, id"));
  return AllRows(select, JoinTokenFrom);
}

absl::StatusOr<InventoryRow> ReadInventoryRow(Connection& db, const std::string& ek) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT ek, labels, source, author, added_at FROM inventory WHERE ek = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(ek).Step());
  if (!found) return Missing("inventory entry", ek);
  return InventoryFrom(select);
}

absl::StatusOr<std::vector<InventoryRow>> ReadInventory(Connection& db, const std::string& after,
                                                        int limit) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT ek, labels, source, author, added_at FROM inventory"
                                 " WHERE ek > ? ORDER BY ek LIMIT ?"));
  select.Bind(after, limit);
  return AllRows(select, InventoryFrom);
}

absl::StatusOr<int64_t> ReadInventoryCount(Connection& db) {
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare("SELECT count(*) FROM inventory"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Step());
  return found ? select.Int(0) : 0;
}

absl::StatusOr<JoinToken> ReadUsableJoinToken(Connection& db, const JoinTokenUse& use) {
  absl::StatusOr<JoinToken> stored = ReadJoinToken(db, use.id);
  if (absl::IsNotFound(stored.status())) {
    return NotAuthentic(Reason::kJoinTokenUnknown, "no such join token");
  }
  BG_ASSIGN_OR_RETURN(JoinToken token, std::move(stored));
  if (!SecretBytes(token.secret_sha256).ConstantTimeEquals(use.secret_sha256)) {
    return NotAuthentic(Reason::kJoinTokenUnknown, "no such join token");
  }
  if (token.revoked_at.has_value()) {
    return NotAuthentic(Reason::kJoinTokenExpired, "the join token was revoked");
  }
  if (use.now >= token.expires_at) {
    return NotAuthentic(Reason::kJoinTokenExpired, "the join token has expired");
  }
  if (token.uses_left <= 0) {
    return NotAuthentic(Reason::kJoinTokenUsed, "the join token has no use left");
  }
  return token;
}

absl::StatusOr<DocumentRow> ReadDocument(Connection& db, const std::string& kind,
                                         const std::string& id) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT kind, id, name, text, author, created_at FROM documents"
                                 " WHERE kind = ? AND id = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(kind, id).Step());
  if (!found) return Missing(kind, id);
  return DocumentFrom(select);
}

absl::StatusOr<std::vector<DocumentRow>> ReadDocuments(Connection& db, const std::string& kind) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT kind, id, name, text, author, created_at FROM documents"
                                 " WHERE kind = ? ORDER BY number DESC"));
  select.Bind(kind);
  return AllRows(select, DocumentFrom);
}

absl::StatusOr<std::vector<AssignmentRow>> ReadAssignments(Connection& db,
                                                           const std::string& kind) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT steps.sequence, steps.kind, steps.selector, document_id, author, at, step,"
                 " name, version, why FROM standing JOIN steps USING (sequence)"
                 " WHERE standing.kind = ? ORDER BY standing.selector, report"));
  select.Bind(kind);
  return AllRows(select, AssignmentFrom);
}

absl::StatusOr<std::vector<AssignmentRow>> ReadSteps(Connection& db, const std::string& kind) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT sequence, kind, selector, document_id, author, at, step, name, version,"
                 " why FROM steps WHERE kind = ? ORDER BY sequence"));
  select.Bind(kind);
  return AllRows(select, AssignmentFrom);
}

absl::StatusOr<int64_t> ReadNewestStep(Connection& db, const std::string& kind) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT coalesce(max(sequence), 0) FROM steps WHERE kind = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(kind).Step());
  return found ? select.Int(0) : 0;
}

absl::StatusOr<std::vector<VersionRow>> ReadVersions(Connection& db, const std::string& kind,
                                                     const std::string& name) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT kind, name, version, document_id, author, at, upload, signer FROM versions"
                 " WHERE kind = ?1 AND (?2 = '' OR name = ?2) ORDER BY name, version DESC"));
  select.Bind(kind, name);
  return AllRows(select, VersionFrom);
}

absl::StatusOr<std::vector<EffectRow>> ReadEffects(Connection& db, int limit) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT sequence, kind, host_id, verdict_id FROM effects"
                                 " ORDER BY sequence LIMIT ?"));
  select.Bind(limit);
  return AllRows(select, EffectFrom);
}

absl::StatusOr<std::vector<AuditRow>> ReadAudit(Connection& db, int64_t after_sequence, int limit) {
  BG_ASSIGN_OR_RETURN(
      Statement select,
      db.Prepare("SELECT sequence, at, actor, action, subject, detail_json, chain FROM audit"
                 " WHERE sequence > ? ORDER BY sequence LIMIT ?"));
  select.Bind(after_sequence, limit);
  return AllRows(select, AuditFrom);
}

absl::StatusOr<AuditHead> ReadAuditHead(Connection& db) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT sequence, chain FROM audit_head WHERE one = 1"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kAuditUnavailable,
                  "the audit trail has lost its head");
  }
  return AuditHead{.sequence = select.Int(0), .chain = select.Blob(1)};
}

absl::StatusOr<std::vector<CheckpointRow>> ReadCheckpoints(Connection& db) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT sequence, at, chain, key_id, signature FROM checkpoints"
                                 " ORDER BY sequence, key_id"));
  return AllRows(select, CheckpointFrom);
}

absl::StatusOr<AnswerRow> ReadAnswer(Connection& db, const std::string& actor,
                                     const std::string& key) {
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare("SELECT request_sha256, answer, at FROM answers"
                                                   " WHERE actor = ? AND key = ?"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Bind(actor, key).Step());
  if (!found) return Missing("answer to", key);
  return AnswerRow{.actor = actor,
                   .key = key,
                   .request_sha256 = select.Blob(0),
                   .answer = select.Blob(1),
                   .at = select.Time(2)};
}

absl::StatusOr<int64_t> ReadDataVersion(Connection& db) {
  BG_ASSIGN_OR_RETURN(Statement select, db.Prepare("PRAGMA data_version"));
  BG_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kStore, "SQLite told no data version");
  }
  return select.Int(0);
}

}  // namespace bootgate::gatekeeper::store::sqlite
