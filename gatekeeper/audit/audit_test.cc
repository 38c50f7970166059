#include <sqlite3.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/audit/detail.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/audit/verify.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::audit {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

TEST(Detail, IsJson) {
  EXPECT_EQ(Detail().Json(), "{}");
  EXPECT_EQ(Detail()
                .Text("why", "a \"quoted\" line")
                .Number("failures", -3)
                .Flag("approved", false)
                .Texts("reasons", {"NO_POLICY", "x\\y"})
                .Texts("none", {})
                .Object("after", Detail().Text("trust", "pending"))
                .Json(),
            R"({"why":"a \"quoted\" line","failures":-3,"approved":false,)"
            R"("reasons":["NO_POLICY","x\\y"],"none":[],"after":{"trust":"pending"}})");
}

TEST(Detail, HostileTextStaysInItsString) {
  EXPECT_EQ(Detail().Text("hostname", R"(","trust":"trusted)").Json(),
            R"({"hostname":"\",\"trust\":\"trusted"})");
}

TEST(Row, NamesActorActionAndSubject) {
  const absl::Time at = absl::FromUnixSeconds(1'800'000'000);
  const store::AuditRow row = MakeRow(at, OperatorActor("root\nhost h-1"), "host.approve", "h-1",
                                      Detail().Flag("approved", true));
  EXPECT_EQ(row.at, at);
  EXPECT_EQ(row.actor.find('\n'), std::string::npos);
  EXPECT_EQ(row.action, "host.approve");
  EXPECT_EQ(row.subject, "h-1");
  EXPECT_EQ(row.detail_json, R"({"approved":true})");
  EXPECT_EQ(HostActor("h-1"), "host h-1");
}

TEST(Row, StateOfAHostNamesItsTrust) {
  host::HostRecord host;
  host.trust = host::Trust::kQuarantined;
  host.ek_trust = "chain";
  host.reasons = {"NO_POLICY"};
  EXPECT_EQ(StateOf(host).Json(),
            R"({"trust":"quarantined","approved":false,"ek_trust":"chain","ak_public_sha256":)"
            R"("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",)"
            R"("reasons":["NO_POLICY"]})");
}

class VerifyTest : public ::testing::Test {
 protected:
  static constexpr int kRows = 5;

  VerifyTest() {
    std::string pattern = ::testing::TempDir() + "/audit.XXXXXX";
    path_ = absl::StrCat(mkdtemp(pattern.data()), "/store.db");
    store_ = store::OpenSqlite({.path = path_, .create = true}).value();
    for (int i = 0; i < kRows; ++i) {
      store::Commit commit;
      commit.audit = {MakeRow(absl::FromUnixSeconds(i), kGatekeeperActor, "test",
                              absl::StrCat("row ", i), Detail())};
      EXPECT_THAT(store_->Apply(commit), IsOk());
    }
  }

  void Tamper(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_GT(sqlite3_total_changes(database), 0) << sql;
    sqlite3_close(database);
  }

  std::string path_;
  std::unique_ptr<store::Store> store_;
};

TEST_F(VerifyTest, WholeTrailVerifies) {
  BG_ASSERT_OK_AND_ASSIGN(const int64_t rows, VerifyAuditChain(*store_));
  EXPECT_EQ(rows, kRows);
}

TEST_F(VerifyTest, EmptyTrailVerifies) {
  BG_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<store::Store> empty,
                          store::OpenSqlite({.path = path_ + "2", .create = true}));
  EXPECT_EQ(VerifyAuditChain(*empty).value(), 0);
}

class TamperedRowTest : public VerifyTest, public ::testing::WithParamInterface<int> {};

TEST_P(TamperedRowTest, RemovedRowIsFound) {
  Tamper(absl::StrCat("DELETE FROM audit WHERE sequence = ", GetParam()));
  EXPECT_THAT(VerifyAuditChain(*store_), Refuses(Reason::kAuditBroken));
}

TEST_P(TamperedRowTest, ChangedRowIsFound) {
  for (const char* const change :
       {"at = at + 1", "actor = 'nobody'", "action = ''", "subject = 'row 9'",
        "detail_json = '{ }'", "chain = zeroblob(32)"}) {
    const std::string where = absl::StrCat(" WHERE sequence = ", GetParam());
    Tamper(absl::StrCat("CREATE TABLE before AS SELECT * FROM audit; UPDATE audit SET ", change,
                        where));
    EXPECT_THAT(VerifyAuditChain(*store_), Refuses(Reason::kAuditBroken)) << change;
    Tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM before; DROP TABLE before");
    ASSERT_THAT(VerifyAuditChain(*store_), IsOk());
  }
}

INSTANTIATE_TEST_SUITE_P(EveryRow, TamperedRowTest, ::testing::Range(1, 6));

TEST_F(VerifyTest, RowsThatChangedPlacesAreFound) {
  Tamper(
      "UPDATE audit SET sequence = 99 WHERE sequence = 2;"
      "UPDATE audit SET sequence = 2 WHERE sequence = 3;"
      "UPDATE audit SET sequence = 3 WHERE sequence = 99");
  EXPECT_THAT(VerifyAuditChain(*store_), Refuses(Reason::kAuditBroken));
}

TEST_F(VerifyTest, TrailWithoutAnyRowIsFound) {
  Tamper("DELETE FROM audit");
  EXPECT_THAT(VerifyAuditChain(*store_), Refuses(Reason::kAuditBroken));
}

TEST_F(VerifyTest, TurnedBackHeadIsFound) {
  Tamper(
      "UPDATE audit_head SET sequence = 4, chain = (SELECT chain FROM audit WHERE sequence = 4)");
  EXPECT_THAT(VerifyAuditChain(*store_), Refuses(Reason::kAuditBroken));
}

}  // namespace
}  // namespace bootgate::gatekeeper::audit
