#include "gatekeeper/store/sqlite/schema.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::store::sqlite {
namespace {

// Times are nanoseconds since 1970. `body`, `labels` and `reasons` are made by record_codec.h.
constexpr char kVersion1[] = R"sql(
  CREATE TABLE hosts (
    id TEXT PRIMARY KEY, revision INTEGER NOT NULL, trust TEXT NOT NULL,
    approved INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX hosts_by_trust ON hosts (trust);

  CREATE TABLE verdicts (
    id TEXT PRIMARY KEY, host_id TEXT NOT NULL REFERENCES hosts (id), at INTEGER NOT NULL,
    outcome TEXT NOT NULL, policy_id TEXT NOT NULL, reference_id TEXT NOT NULL,
    body_json TEXT NOT NULL, reset_count INTEGER NOT NULL, restart_count INTEGER NOT NULL,
    clock_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX verdicts_by_host ON verdicts (host_id, at);

  CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

  CREATE TABLE credentials (
    serial TEXT PRIMARY KEY, host_id TEXT NOT NULL REFERENCES hosts (id),
    verdict_id TEXT NOT NULL, profile TEXT NOT NULL, not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL, revoked INTEGER NOT NULL, revoked_at INTEGER
  ) STRICT;
  CREATE INDEX credentials_by_host ON credentials (host_id, not_before);

  CREATE TABLE incidents (
    id TEXT PRIMARY KEY, host_id TEXT NOT NULL REFERENCES hosts (id),
    first_verdict_id TEXT NOT NULL, last_verdict_id TEXT NOT NULL, opened_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL, failures INTEGER NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL,
    reasons BLOB NOT NULL
  ) STRICT;
  CREATE INDEX incidents_by_host ON incidents (host_id, opened_at);

  CREATE TABLE effects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, host_id TEXT NOT NULL,
    verdict_id TEXT NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    subject TEXT NOT NULL, detail_json TEXT NOT NULL, chain BLOB NOT NULL
  ) STRICT;
  CREATE TABLE audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, chain BLOB NOT NULL
  ) STRICT;
  INSERT INTO audit_head VALUES (1, 0, zeroblob(32));

  CREATE TABLE join_tokens (
    id TEXT PRIMARY KEY, secret_sha256 BLOB NOT NULL, labels BLOB NOT NULL,
    uses_left INTEGER NOT NULL CHECK (uses_left >= 0), expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL, approves INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
    name TEXT NOT NULL, text TEXT NOT NULL, author TEXT NOT NULL, created_at INTEGER NOT NULL,
    UNIQUE (kind, id)
  ) STRICT;

  CREATE TABLE assignments (
    kind TEXT NOT NULL, selector TEXT NOT NULL, document_id TEXT NOT NULL, author TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (kind, selector),
    FOREIGN KEY (kind, document_id) REFERENCES documents (kind, id)
  ) STRICT;

  PRAGMA user_version = 1;
)sql";

// Named versions of documents; assignments as steps with history, and which of them stand.
constexpr char kVersion2[] = R"sql(
  CREATE TABLE versions (
    kind TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, document_id TEXT NOT NULL,
    author TEXT NOT NULL, at INTEGER NOT NULL, upload TEXT NOT NULL, signer TEXT NOT NULL,
    PRIMARY KEY (kind, name, version),
    FOREIGN KEY (kind, document_id) REFERENCES documents (kind, id)
  ) STRICT;

  CREATE TABLE steps (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, selector TEXT NOT NULL,
    document_id TEXT, author TEXT NOT NULL, at INTEGER NOT NULL, step TEXT NOT NULL,
    name TEXT NOT NULL, version INTEGER NOT NULL, why TEXT NOT NULL,
    FOREIGN KEY (kind, document_id) REFERENCES documents (kind, id)
  ) STRICT;
  CREATE INDEX steps_by_kind ON steps (kind, sequence);

  CREATE TABLE standing (
    kind TEXT NOT NULL, selector TEXT NOT NULL, report INTEGER NOT NULL,
    sequence INTEGER NOT NULL REFERENCES steps (sequence), PRIMARY KEY (kind, selector, report)
  ) STRICT;

  INSERT INTO steps (kind, selector, document_id, author, at, step, name, version, why)
    SELECT kind, selector, document_id, author, at, 'enforce', '', 0, ''
    FROM assignments ORDER BY at, kind, selector;
  INSERT INTO standing SELECT kind, selector, 0, sequence FROM steps;
  DROP TABLE assignments;

  PRAGMA user_version = 2;
)sql";

// TPMs known before they join; what is revoked, numbered; who made which certificate.
constexpr char kVersion3[] = R"sql(
  CREATE TABLE inventory (
    ek TEXT PRIMARY KEY, labels BLOB NOT NULL, source TEXT NOT NULL, author TEXT NOT NULL,
    added_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE credentials ADD COLUMN kind TEXT NOT NULL DEFAULT 'host';
  ALTER TABLE credentials ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
  CREATE TABLE revocations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    serial TEXT NOT NULL UNIQUE REFERENCES credentials (serial)
  ) STRICT;
  INSERT INTO revocations (serial)
    SELECT serial FROM credentials WHERE revoked = 1 ORDER BY revoked_at, serial;

  ALTER TABLE join_tokens ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE join_tokens ADD COLUMN author TEXT NOT NULL DEFAULT '';
  ALTER TABLE join_tokens ADD COLUMN revoked_at INTEGER;

  PRAGMA user_version = 3;
)sql";

// Incidents with a life of their own, what is told to others and how far each has heard it, what
// evidence belongs to what, signatures over the audit trail, answers to repeated calls. Evidence of
// incidents of old is found through the audit row of the verdict that opened them.
constexpr char kVersion4[] = R"sql(
  ALTER TABLE incidents ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE incidents ADD COLUMN action TEXT NOT NULL DEFAULT 'isolate';
  ALTER TABLE incidents ADD COLUMN opened_by TEXT NOT NULL DEFAULT '';
  ALTER TABLE incidents ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
  ALTER TABLE incidents ADD COLUMN root_cause TEXT NOT NULL DEFAULT '';
  ALTER TABLE incidents ADD COLUMN disposition TEXT NOT NULL DEFAULT '';
  ALTER TABLE incidents ADD COLUMN ticket TEXT NOT NULL DEFAULT '';
  ALTER TABLE incidents ADD COLUMN resolved_by TEXT NOT NULL DEFAULT '';
  ALTER TABLE incidents ADD COLUMN approved_by TEXT NOT NULL DEFAULT '';
  ALTER TABLE incidents ADD COLUMN resolved_at INTEGER;
  ALTER TABLE incidents ADD COLUMN approved_at INTEGER;
  ALTER TABLE incidents ADD COLUMN closed_at INTEGER;

  CREATE TABLE incident_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id TEXT NOT NULL REFERENCES incidents (id), at INTEGER NOT NULL,
    actor TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_incident ON incident_events (incident_id, sequence);

  CREATE TABLE evidence (
    owner TEXT NOT NULL, part TEXT NOT NULL, sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    PRIMARY KEY (owner, part)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX evidence_by_blob ON evidence (sha256);
  INSERT OR IGNORE INTO evidence (owner, part, sha256)
    SELECT incidents.id, parts.key, parts.value
    FROM audit
      JOIN incidents ON incidents.first_verdict_id =
        json_extract(CASE WHEN json_valid(detail_json) THEN detail_json END, '$.verdict')
      JOIN json_each(detail_json, '$.evidence') AS parts
    WHERE audit.action = 'verdict' AND parts.type = 'text'
      AND EXISTS (SELECT 1 FROM blobs WHERE sha256 = parts.value);

  CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
    host_id TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, incident_id TEXT NOT NULL,
    why TEXT NOT NULL
  ) STRICT;
  CREATE INDEX changes_by_host ON changes (host_id, sequence);
  CREATE INDEX changes_by_move ON changes (kind, after, at);

  CREATE TABLE consumers (
    name TEXT PRIMARY KEY, told INTEGER NOT NULL, attempts INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL, last_error TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE dead_letters (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, consumer TEXT NOT NULL, change INTEGER NOT NULL,
    at INTEGER NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL
  ) STRICT;

  CREATE TABLE checkpoints (
    sequence INTEGER NOT NULL, key_id TEXT NOT NULL, at INTEGER NOT NULL, chain BLOB NOT NULL,
    signature BLOB NOT NULL, PRIMARY KEY (sequence, key_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE answers (
    actor TEXT NOT NULL, key TEXT NOT NULL, request_sha256 BLOB NOT NULL, answer BLOB NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (actor, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX answers_by_time ON answers (at);

  CREATE INDEX verdicts_by_time ON verdicts (at, id);

  PRAGMA user_version = 4;
)sql";

// Whose evidence moved a host: the brake counts verdicts, not operators' acts.
constexpr char kVersion5[] = R"sql(
  ALTER TABLE changes ADD COLUMN verdict_id TEXT NOT NULL DEFAULT '';
  CREATE INDEX credentials_by_end ON credentials (not_after) WHERE revoked = 0;

  PRAGMA user_version = 5;
)sql";

// kSteps[n] leads from version n to n + 1 and ends by writing the new version.
constexpr const char* kSteps[] = {kVersion1, kVersion2, kVersion3, kVersion4, kVersion5};
static_assert(std::size(kSteps) == kSchemaVersion);

absl::StatusOr<int64_t> Number(Connection& connection, const char* sql) {
  BG_ASSIGN_OR_RETURN(Statement statement, connection.Prepare(sql));
  BG_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::Status Unfit(absl::string_view why) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kStore, why);
}

absl::Status CheckOurs(Connection& connection, int64_t version) {
  if (version > kSchemaVersion) {
    return Unfit(absl::StrCat("the store's schema is version ", version,
                              ", newer than this program's ", kSchemaVersion));
  }
  if (version > 0) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const int64_t tables,
                      Number(connection, "SELECT count(*) FROM sqlite_schema"));
  if (tables > 0) return Unfit("the file is a database of another program");
  return absl::OkStatus();
}

// Inside a transaction: asks for the version again, because another process may have been faster.
absl::Status TakeSteps(Connection& connection) {
  BG_ASSIGN_OR_RETURN(const int64_t version, Number(connection, "PRAGMA user_version"));
  BG_RETURN_IF_ERROR(CheckOurs(connection, version));
  for (int64_t step = version; step < kSchemaVersion; ++step) {
    BG_RETURN_IF_ERROR(connection.Run(kSteps[step]));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Migrate(Connection& connection) {
  BG_ASSIGN_OR_RETURN(const int64_t version, Number(connection, "PRAGMA user_version"));
  if (version == kSchemaVersion) return absl::OkStatus();
  BG_RETURN_IF_ERROR(connection.Run("BEGIN IMMEDIATE"));
  absl::Status status = TakeSteps(connection);
  if (status.ok()) status = connection.Run("COMMIT");
  if (!status.ok() && connection.InTransaction()) status.Update(connection.Run("ROLLBACK"));
  return status;
}

}  // namespace bootgate::gatekeeper::store::sqlite
