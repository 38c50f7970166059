#include "gatekeeper/store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/sqlite/changes.h"
#include "gatekeeper/store/sqlite/connection.h"
#include "gatekeeper/store/sqlite/group_commit.h"
#include "gatekeeper/store/sqlite/incidents.h"
#include "gatekeeper/store/sqlite/read.h"
#include "gatekeeper/store/sqlite/readers.h"
#include "gatekeeper/store/sqlite/retention.h"
#include "gatekeeper/store/sqlite/schema.h"
#include "gatekeeper/store/sqlite/write.h"

namespace bootgate::gatekeeper::store {
namespace {

using sqlite::Access;
using sqlite::Connection;

constexpr mode_t kOwnerOnly = 0600;  // SQLite gives the -wal and -shm files the same mode

class SqliteStore final : public Store {
 public:
  // `watcher` never writes, so its data version tells of every write, our own too.
  SqliteStore(const std::string& path, std::unique_ptr<Connection> writer,
              std::unique_ptr<Connection> watcher)
      : readers_(path), watcher_(std::move(watcher)), writer_(std::move(writer)) {}

  absl::Status Apply(const Commit& commit) override {
    return writer_.Do([&](Connection& db) { return sqlite::ApplyCommit(db, commit); });
  }

  absl::StatusOr<host::HostRecord> GetHost(const std::string& id) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadHost(db, id); });
  }
  absl::StatusOr<std::vector<host::HostRecord>> ListHosts(
      std::vector<std::string>* corrupt) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadHosts(db, corrupt); });
  }
  absl::StatusOr<std::vector<host::HostRecord>> ListHostsAfter(
      const std::string& after, int limit, const std::vector<host::Trust>& trusts,
      std::vector<std::string>* corrupt) override {
    return readers_.With(
        [&](Connection& db) { return sqlite::ReadHostsAfter(db, after, limit, trusts, corrupt); });
  }
  absl::StatusOr<std::map<host::Trust, int64_t>> CountHosts() override {
    return readers_.With([](Connection& db) { return sqlite::ReadHostCounts(db); });
  }

  absl::StatusOr<VerdictRow> GetVerdict(const std::string& id) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadVerdict(db, id); });
  }
  absl::StatusOr<std::vector<VerdictRow>> ListVerdicts(const std::string& host_id,
                                                       const std::string& behind,
                                                       int limit) override {
    return readers_.With(
        [&](Connection& db) { return sqlite::ReadVerdicts(db, host_id, behind, limit); });
  }
  absl::StatusOr<IncidentRow> GetIncident(const std::string& id) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadIncident(db, id); });
  }
  absl::StatusOr<std::vector<IncidentEventRow>> ListIncidentEvents(
      const std::string& incident_id) override {
    return readers_.With(
        [&](Connection& db) { return sqlite::ReadIncidentEvents(db, incident_id); });
  }
  absl::StatusOr<EvidenceParts> GetEvidence(const std::string& incident_or_host_id) override {
    return readers_.With(
        [&](Connection& db) { return sqlite::ReadEvidence(db, incident_or_host_id); });
  }
  absl::StatusOr<std::vector<IncidentRow>> ListIncidents(const std::string& host_id) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadIncidents(db, host_id); });
  }
  absl::StatusOr<std::vector<CredentialRow>> ListCredentials(const std::string& host_id) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadCredentials(db, host_id); });
  }
  absl::StatusOr<bool> IsRevoked(const std::string& serial) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadIsRevoked(db, serial); });
  }
  absl::StatusOr<CredentialRow> GetCredential(const std::string& serial) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadCredential(db, serial); });
  }
  absl::StatusOr<std::vector<RevokedRow>> ListRevoked(int64_t after, absl::Time now) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadRevoked(db, after, now); });
  }
  absl::StatusOr<int64_t> LastRevocation() override {
    return readers_.With([](Connection& db) { return sqlite::ReadLastRevocation(db); });
  }
  absl::StatusOr<Bytes> GetBlob(const std::string& sha256_hex) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadBlob(db, sha256_hex); });
  }

  absl::Status PutJoinToken(const JoinToken& token, const AuditRow& audit) override {
    return writer_.Do([&](Connection& db) -> absl::Status {
      BG_RETURN_IF_ERROR(sqlite::InsertJoinToken(db, token));
      return sqlite::AppendAudit(db, audit);
    });
  }
  absl::StatusOr<JoinToken> RedeemJoinToken(const std::string& id, ByteView secret_sha256,
                                            absl::Time now) override {
    const JoinTokenUse use = {.id = id, .secret_sha256 = ToBytes(secret_sha256), .now = now};
    JoinToken token;
    BG_RETURN_IF_ERROR(writer_.Do([&](Connection& db) -> absl::Status {
      BG_ASSIGN_OR_RETURN(token, sqlite::ReadUsableJoinToken(db, use));
      return sqlite::UseJoinToken(db, use);
    }));
    --token.uses_left;
    return token;
  }
  absl::StatusOr<JoinToken> CheckJoinToken(const std::string& id, ByteView secret_sha256,
                                           absl::Time now) override {
    const JoinTokenUse use = {.id = id, .secret_sha256 = ToBytes(secret_sha256), .now = now};
    return readers_.With([&](Connection& db) { return sqlite::ReadUsableJoinToken(db, use); });
  }

  absl::StatusOr<JoinToken> GetJoinToken(const std::string& id) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadJoinToken(db, id); });
  }
  absl::StatusOr<std::vector<JoinToken>> ListJoinTokens() override {
    return readers_.With([](Connection& db) { return sqlite::ReadJoinTokens(db); });
  }
  absl::Status RevokeJoinToken(const std::string& id, const AuditRow& audit) override {
    return writer_.Do([&](Connection& db) -> absl::Status {
      BG_RETURN_IF_ERROR(sqlite::EndJoinToken(db, id, audit.at));
      return sqlite::AppendAudit(db, audit);
    });
  }

  absl::StatusOr<InventoryChange> PutInventory(const std::vector<InventoryRow>& rows,
                                               const AuditRow& audit) override {
    InventoryChange change;
    BG_RETURN_IF_ERROR(writer_.Do([&](Connection& db) -> absl::Status {
      BG_ASSIGN_OR_RETURN(change, sqlite::WriteInventory(db, rows));
      return sqlite::AppendAudit(db, audit);
    }));
    return change;
  }
  absl::StatusOr<InventoryRow> GetInventory(const std::string& ek) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadInventoryRow(db, ek); });
  }
  absl::StatusOr<std::vector<InventoryRow>> ListInventory(const std::string& after,
                                                          int limit) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadInventory(db, after, limit); });
  }
  absl::StatusOr<int64_t> CountInventory() override {
    return readers_.With([](Connection& db) { return sqlite::ReadInventoryCount(db); });
  }
  absl::Status RemoveInventory(const std::vector<std::string>& eks,
                               const AuditRow& audit) override {
    return writer_.Do([&](Connection& db) -> absl::Status {
      BG_RETURN_IF_ERROR(sqlite::RemoveFromInventory(db, eks));
      return sqlite::AppendAudit(db, audit);
    });
  }

  absl::Status PutDocument(const DocumentRow& document, const AuditRow& audit) override {
    return writer_.Do([&](Connection& db) -> absl::Status {
      BG_RETURN_IF_ERROR(sqlite::InsertDocument(db, document));
      return sqlite::AppendAudit(db, audit);
    });
  }
  absl::StatusOr<DocumentRow> GetDocument(const std::string& kind, const std::string& id) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadDocument(db, kind, id); });
  }
  absl::StatusOr<std::vector<DocumentRow>> ListDocuments(const std::string& kind) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadDocuments(db, kind); });
  }
  absl::Status PutVersion(const DocumentRow& document, const VersionRow& version,
                          const AuditRow& audit) override {
    return writer_.Do([&](Connection& db) -> absl::Status {
      BG_RETURN_IF_ERROR(sqlite::InsertDocument(db, document));
      BG_RETURN_IF_ERROR(sqlite::InsertVersion(db, version));
      return sqlite::AppendAudit(db, audit);
    });
  }
  absl::StatusOr<std::vector<VersionRow>> ListVersions(const std::string& kind,
                                                       const std::string& name) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadVersions(db, kind, name); });
  }

  absl::Status Assign(const AssignmentRow& assignment, const AuditRow& audit,
                      std::optional<int64_t> after) override {
    return writer_.Do([&](Connection& db) -> absl::Status {
      BG_RETURN_IF_ERROR(sqlite::TakeStep(db, assignment, after));
      return sqlite::AppendAudit(db, audit);
    });
  }
  absl::StatusOr<std::vector<AssignmentRow>> ListAssignments(const std::string& kind) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadAssignments(db, kind); });
  }
  absl::StatusOr<std::vector<AssignmentRow>> ListSteps(const std::string& kind) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadSteps(db, kind); });
  }

  absl::StatusOr<std::vector<EffectRow>> PendingEffects(int limit) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadEffects(db, limit); });
  }
  absl::Status MarkEffectDone(int64_t sequence) override {
    return writer_.Do([&](Connection& db) { return sqlite::RemoveEffect(db, sequence); });
  }

  absl::StatusOr<std::vector<ChangeRow>> ListChanges(int64_t after, int limit) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadChanges(db, after, limit); });
  }
  absl::StatusOr<std::vector<ChangeRow>> ListHostChanges(const std::string& host_id) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadHostChanges(db, host_id); });
  }
  absl::StatusOr<int64_t> LastChange() override {
    return readers_.With([](Connection& db) { return sqlite::ReadLastChange(db); });
  }
  absl::StatusOr<int64_t> CountMoves(const std::string& after_state, absl::Time since) override {
    return readers_.With(
        [&](Connection& db) { return sqlite::ReadMoveCount(db, after_state, since); });
  }

  absl::StatusOr<std::vector<ConsumerRow>> ListConsumers() override {
    return readers_.With([](Connection& db) { return sqlite::ReadConsumers(db); });
  }
  absl::Status PutConsumer(const ConsumerRow& consumer,
                           const std::optional<DeadLetterRow>& dead) override {
    return writer_.Do([&](Connection& db) -> absl::Status {
      BG_RETURN_IF_ERROR(sqlite::WriteConsumer(db, consumer));
      return dead.has_value() ? sqlite::InsertDeadLetter(db, *dead) : absl::OkStatus();
    });
  }
  absl::StatusOr<std::vector<DeadLetterRow>> ListDeadLetters() override {
    return readers_.With([](Connection& db) { return sqlite::ReadDeadLetters(db); });
  }
  absl::Status RemoveDeadLetter(int64_t sequence) override {
    return writer_.Do([&](Connection& db) { return sqlite::DeleteDeadLetter(db, sequence); });
  }

  absl::StatusOr<AnswerRow> GetAnswer(const std::string& actor, const std::string& key) override {
    return readers_.With([&](Connection& db) { return sqlite::ReadAnswer(db, actor, key); });
  }
  absl::Status PutAnswer(const AnswerRow& answer, absl::Time forget_before) override {
    return writer_.Do(
        [&](Connection& db) { return sqlite::InsertAnswer(db, answer, forget_before); });
  }

  absl::StatusOr<Swept> Sweep(const Retention& retention, const std::string& actor,
                              absl::Time now) override {
    Swept swept;
    BG_RETURN_IF_ERROR(writer_.Do([&](Connection& db) -> absl::Status {
      BG_ASSIGN_OR_RETURN(swept, sqlite::SweepOld(db, retention, actor, now));
      return absl::OkStatus();
    }));
    return swept;
  }

  absl::Status PutCheckpoint(const CheckpointRow& checkpoint) override {
    return writer_.Do([&](Connection& db) { return sqlite::InsertCheckpoint(db, checkpoint); });
  }
  absl::StatusOr<std::vector<CheckpointRow>> ListCheckpoints() override {
    return readers_.With([](Connection& db) { return sqlite::ReadCheckpoints(db); });
  }

  absl::Status PutAudit(const AuditRow& audit) override {
    return writer_.Do([&](Connection& db) { return sqlite::AppendAudit(db, audit); });
  }
  absl::StatusOr<std::vector<AuditRow>> ListAudit(int64_t after_sequence, int limit) override {
    return readers_.With(
        [&](Connection& db) { return sqlite::ReadAudit(db, after_sequence, limit); });
  }
  absl::StatusOr<AuditHead> GetAuditHead() override {
    return readers_.With([](Connection& db) { return sqlite::ReadAuditHead(db); });
  }

  absl::StatusOr<int64_t> ChangeCounter() override {
    const std::lock_guard lock(watcher_mutex_);
    return sqlite::ReadDataVersion(*watcher_);
  }

 private:
  sqlite::Readers readers_;
  std::mutex watcher_mutex_;
  const std::unique_ptr<Connection> watcher_;  // used under watcher_mutex_
  sqlite::GroupCommit writer_;                 // last: its thread ends first
};

absl::Status FileError(const std::string& path, int error) {
  if (error == ENOENT) return absl::NotFoundError(absl::StrCat("no store at ", path));
  return Refuse(absl::StatusCode::kUnavailable, Reason::kStore,
                absl::StrCat("cannot open ", path, ": ", std::strerror(error)));
}

// Made here and not by SQLite, so that the file is the owner's alone from its first byte on. An
// existing file is only looked at: closing a descriptor of it would drop SQLite's own locks.
absl::Status MakeFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (file >= 0) {
    close(file);
  } else if (errno != EEXIST) {
    return FileError(path, errno);
  }
  return absl::OkStatus();
}

absl::Status CheckFile(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return FileError(path, errno);
  if (!S_ISREG(info.st_mode)) return FileError(path, EINVAL);
  if ((info.st_mode & 0777U & ~kOwnerOnly) == 0) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kStore,
                absl::StrCat(path, " may be used by others than its owner"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqlite(const SqliteOptions& options) {
  if (options.create) BG_RETURN_IF_ERROR(MakeFile(options.path));
  BG_RETURN_IF_ERROR(CheckFile(options.path));
  BG_ASSIGN_OR_RETURN(std::unique_ptr<Connection> writer,
                      Connection::Open(options.path, Access::kWrite));
  BG_RETURN_IF_ERROR(sqlite::Migrate(*writer));
  BG_ASSIGN_OR_RETURN(std::unique_ptr<Connection> watcher,
                      Connection::Open(options.path, Access::kRead));
  return std::make_unique<SqliteStore>(options.path, std::move(writer), std::move(watcher));
}

}  // namespace bootgate::gatekeeper::store
