#include "gatekeeper/store/sqlite/sqlite_store.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gatekeeper/store/incident_contract.h"
#include "gatekeeper/store/retention_contract.h"
#include "gatekeeper/store/store_contract.h"

namespace bootgate::gatekeeper::store {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<Store> OpenIn(const std::string& folder) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      OpenSqlite({.path = folder + "/store.db", .create = true});
  EXPECT_THAT(store, IsOk());
  return store.ok() ? *std::move(store) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         ::testing::Values(Backend{.name = "Sqlite", .open = OpenIn}),
                         [](const auto& row) { return row.param.name; });
INSTANTIATE_TEST_SUITE_P(Sqlite, FleetContract,
                         ::testing::Values(Backend{.name = "Sqlite", .open = OpenIn}),
                         [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(Sqlite, RetentionContract,
                         ::testing::Values(Backend{.name = "Sqlite", .open = OpenIn}),
                         [](const auto& row) { return row.param.name; });

class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteStoreTest() {
    std::string pattern = ::testing::TempDir() + "/sqlite.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/store.db";
  }

  // What an operator with the sqlite3 tool could do to the file.
  void Tamper(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  void StoreHosts(int count) {
    const std::unique_ptr<Store> store = OpenIn(folder_);
    for (int i = 0; i < count; ++i) {
      Commit commit;
      commit.host.emplace();
      commit.host->id = absl::StrCat("h-", i);
      commit.audit.emplace_back();
      ASSERT_THAT(store->Apply(commit), IsOk());
    }
  }

  std::string folder_, path_;
};

TEST_F(SqliteStoreTest, MissingFileIsNotMadeUnlessAsked) {
  EXPECT_THAT(OpenSqlite({.path = path_}), HasCode(absl::StatusCode::kNotFound));
  EXPECT_FALSE(FileExists(path_));
  EXPECT_THAT(OpenSqlite({.path = folder_ + "/no/such/folder", .create = true}),
              HasCode(absl::StatusCode::kNotFound));
}

TEST_F(SqliteStoreTest, FilesAreTheOwnersAlone) {
  const std::unique_ptr<Store> store = OpenIn(folder_);
  for (const char* const suffix : {"", "-wal", "-shm"}) {
    struct stat info = {};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(SqliteStoreTest, FileThatOthersMayUseIsRefused) {
  StoreHosts(1);
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  EXPECT_THAT(OpenSqlite({.path = path_}), HasCode(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SqliteStoreTest, NewerSchemaIsRefused) {
  StoreHosts(1);
  Tamper("PRAGMA user_version = 6");
  const absl::Status status = OpenSqlite({.path = path_}).status();
  EXPECT_THAT(status, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer"));
}

// A store of schema 1, as the first release made it.
TEST_F(SqliteStoreTest, AssignmentsOfTheFirstSchemaStandAndAreHistory) {
  StoreHosts(1);
  Tamper(R"sql(
    DROP TABLE incident_events; DROP TABLE evidence; DROP TABLE changes; DROP TABLE consumers;
    DROP TABLE dead_letters; DROP TABLE checkpoints; DROP TABLE answers;
    DROP INDEX verdicts_by_time; DROP INDEX credentials_by_end;
    ALTER TABLE incidents DROP COLUMN revision; ALTER TABLE incidents DROP COLUMN action;
    ALTER TABLE incidents DROP COLUMN opened_by; ALTER TABLE incidents DROP COLUMN assignee;
    ALTER TABLE incidents DROP COLUMN root_cause; ALTER TABLE incidents DROP COLUMN disposition;
    ALTER TABLE incidents DROP COLUMN ticket; ALTER TABLE incidents DROP COLUMN resolved_by;
    ALTER TABLE incidents DROP COLUMN approved_by; ALTER TABLE incidents DROP COLUMN resolved_at;
    ALTER TABLE incidents DROP COLUMN approved_at; ALTER TABLE incidents DROP COLUMN closed_at;
    DROP TABLE inventory; DROP TABLE revocations;
    ALTER TABLE credentials DROP COLUMN kind; ALTER TABLE credentials DROP COLUMN issuer;
    ALTER TABLE join_tokens DROP COLUMN uses; ALTER TABLE join_tokens DROP COLUMN author;
    ALTER TABLE join_tokens DROP COLUMN revoked_at;
    DROP TABLE standing; DROP TABLE steps; DROP TABLE versions;
    CREATE TABLE assignments (
      kind TEXT NOT NULL, selector TEXT NOT NULL, document_id TEXT NOT NULL, author TEXT NOT NULL,
      at INTEGER NOT NULL, PRIMARY KEY (kind, selector),
      FOREIGN KEY (kind, document_id) REFERENCES documents (kind, id)
    ) STRICT;
    INSERT INTO documents (kind, id, name, text, author, created_at)
      VALUES ('policy', 'aa', 'main', 'text', 'root', 1), ('reference', 'rr', 'r', '{}', 'root', 2);
    INSERT INTO assignments VALUES ('policy', 'role=db', 'aa', 'alice', 20),
      ('policy', '', 'aa', 'root', 10), ('reference', '', 'rr', 'root', 15);
    PRAGMA user_version = 1;
  )sql");
  const std::unique_ptr<Store> store = OpenIn(folder_);
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<AssignmentRow> rows, store->ListAssignments("policy"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].selector, "role=db");
  EXPECT_EQ(rows[1].author, "alice");
  EXPECT_EQ(rows[1].step, Step::kEnforce);
  EXPECT_EQ(rows[1].at, absl::FromUnixNanos(20));
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<AssignmentRow> steps, store->ListSteps("policy"));
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].selector, "");
  EXPECT_EQ(store->ListAssignments("reference")->at(0).document_id, "rr");
  EXPECT_EQ(store->ListHosts(nullptr)->size(), 1u);
}

// A store that a gatekeeper of schema 2 left behind, with hosts that came and went.
TEST_F(SqliteStoreTest, StoreOfTheSecondSchemaGoesOnAsItWas) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes old,
                          ReadFile(testing::CorpusPath("store/schema-2.db"), 1 << 20));
  ASSERT_THAT(WriteFileAtomically(path_, old, 0600), IsOk());
  std::unique_ptr<Store> store = OpenIn(folder_);
  ASSERT_NE(store, nullptr);
  std::vector<std::string> corrupt;
  BG_ASSERT_OK_AND_ASSIGN(std::vector<host::HostRecord> hosts, store->ListHosts(&corrupt));
  EXPECT_EQ(hosts.size(), 4u);
  EXPECT_TRUE(corrupt.empty());
  EXPECT_EQ(store->CountHosts()->at(host::Trust::kQuarantined), 3);
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<IncidentRow> incidents, store->ListIncidents(""));
  EXPECT_EQ(incidents.size(), 3u);
  for (const IncidentRow& incident : incidents) {
    EXPECT_EQ(incident.revision, 1u);
    BG_ASSERT_OK_AND_ASSIGN(const EvidenceParts parts, store->GetEvidence(incident.id));
    EXPECT_EQ(parts.count("boot_log"), 1u) << "found through the audit trail";
    for (const auto& [part, sha256] : parts) EXPECT_THAT(store->GetBlob(sha256), IsOk()) << part;
  }
  EXPECT_EQ(store->LastChange().value(), 0);
  EXPECT_EQ(hosts[0].assurance, "");
  EXPECT_TRUE(hosts[0].ak_certificate.empty());

  // What was revoked has its number, what was not, none.
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<RevokedRow> revoked,
                          store->ListRevoked(0, absl::InfinitePast()));
  ASSERT_EQ(revoked.size(), 1u);
  EXPECT_EQ(store->LastRevocation().value(), revoked[0].number);
  EXPECT_EQ(revoked[0].credential.kind, "host");
  EXPECT_EQ(store->ListJoinTokens()->size(), 4u);
  EXPECT_EQ(store->CountInventory().value(), 0);

  // It goes on: the audit chain, records, revocations.
  Commit commit;
  commit.host = hosts[0];
  commit.revoke_host_credentials = true;
  commit.audit.emplace_back();
  ASSERT_THAT(store->Apply(commit), IsOk());
  store = OpenIn(folder_);
  AuditHead head = {.sequence = 0, .chain = ChainStart()};
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<AuditRow> rows, store->ListAudit(0, 1000));
  EXPECT_EQ(rows.size(), 22u);
  for (const AuditRow& row : rows) {
    ASSERT_THAT(CheckFollows(head, row), IsOk());
    head = {.sequence = row.sequence, .chain = row.chain};
  }
}

TEST_F(SqliteStoreTest, ManyMayMakeTheSchemaAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const absl::StatusOr<std::unique_ptr<Store>> store =
          OpenSqlite({.path = path_, .create = true});
      ASSERT_THAT(store, IsOk());
      EXPECT_EQ((*store)->GetAuditHead()->sequence, 0);
    });
  }
}

TEST_F(SqliteStoreTest, DatabaseOfAnotherProgramIsRefused) {
  Tamper("CREATE TABLE recipes (id)");
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_THAT(OpenSqlite({.path = path_, .create = true}),
              HasCode(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SqliteStoreTest, FileThatIsNoDatabaseIsRefused) {
  ASSERT_THAT(WriteFileAtomically(path_, AsBytes(std::string(5000, 'x')), 0600), IsOk());
  EXPECT_THAT(OpenSqlite({.path = path_, .create = true}), Refuses(Reason::kStore));
}

TEST_F(SqliteStoreTest, CorruptRowHurtsItsHostAlone) {
  StoreHosts(3);
  Tamper("UPDATE hosts SET body = substr(body, 1, 50) WHERE id = 'h-1'");
  const std::unique_ptr<Store> store = OpenIn(folder_);
  EXPECT_THAT(store->GetHost("h-1"), Refuses(Reason::kRecordCorrupt));
  EXPECT_THAT(store->GetHost("h-2"), IsOk());
  std::vector<std::string> corrupt;
  EXPECT_EQ(store->ListHosts(&corrupt)->size(), 2u);
  EXPECT_THAT(corrupt, ElementsAre("h-1"));
}

TEST_F(SqliteStoreTest, TrustEditedByHandIsNotBelieved) {
  StoreHosts(1);
  Tamper("UPDATE hosts SET trust = 'trusted'");
  EXPECT_THAT(OpenIn(folder_)->GetHost("h-0"), Refuses(Reason::kRecordCorrupt));
}

TEST_F(SqliteStoreTest, ChangedBlobIsNotGivenOut) {
  const std::string digest = crypto::Hash(crypto::HashAlg::kSha256, AsBytes("log")).hex();
  Commit commit;
  commit.blobs = {{digest, ToBytes(AsBytes("log"))}};
  commit.audit.emplace_back();
  ASSERT_THAT(OpenIn(folder_)->Apply(commit), IsOk());
  Tamper("UPDATE blobs SET bytes = x'00'");
  EXPECT_THAT(OpenIn(folder_)->GetBlob(digest), Refuses(Reason::kRecordCorrupt));
}

// Values are bound: text with SQL in it is only text.
TEST_F(SqliteStoreTest, TextIsNeverSql) {
  const std::unique_ptr<Store> store = OpenIn(folder_);
  const std::string nasty = std::string("'; DROP TABLE hosts; --\0\xff", 25);
  Commit commit;
  commit.host.emplace();
  commit.host->id = nasty;
  commit.audit.emplace_back();
  commit.audit[0].actor = nasty;
  ASSERT_THAT(store->Apply(commit), IsOk());
  EXPECT_EQ(store->GetHost(nasty)->id, nasty);
  EXPECT_EQ(store->ListAudit(0, 1)->at(0).actor, nasty);
}

// Where the audit trail cannot be written, nothing is decided.
TEST_F(SqliteStoreTest, LostAuditHeadStopsEveryDecision) {
  StoreHosts(1);
  const std::unique_ptr<Store> store = OpenIn(folder_);
  Tamper("DROP TABLE audit_head");
  Commit commit;
  commit.host.emplace();
  commit.host->id = "h-new";
  commit.audit.emplace_back();
  EXPECT_FALSE(store->Apply(commit).ok());
  EXPECT_THAT(store->GetHost("h-new"), HasCode(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace bootgate::gatekeeper::store
