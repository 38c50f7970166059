// Checkpoints: when they are made, what they find. Attack A86: traces that are removed by somebody
// who can write the whole store.
#include <sqlite3.h>

#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/audit/checkpointer.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/audit/trail_text.h"
#include "gatekeeper/audit/verify.h"
#include "gatekeeper/store/audit_chain.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::audit {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    std::string pattern = ::testing::TempDir() + "/checkpoint.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = store::OpenSqlite({.path = folder_ + "/store.db", .create = true}).value();
  }

  std::string KeyFolder() const { return folder_ + "/audit"; }
  CheckpointKeys Keys() const { return ReadCheckpointKeys(KeyFolder()).value(); }
  Checkpointer MakeCheckpointer(CheckpointPace pace = {}) {
    return Checkpointer(*store_, OpenCheckpointKey(KeyFolder()).value(), pace);
  }

  void AddRows(int count) {
    for (int i = 0; i < count; ++i) {
      ++rows_;
      EXPECT_THAT(store_->PutAudit(MakeRow(
                      kStart + absl::Nanoseconds(rows_ * 1001), OperatorActor("alice"), "test",
                      absl::StrCat("row ", rows_), Detail().Text("why", "a \"line\"\n"))),
                  IsOk());
    }
  }

  void Tamper(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ + "/store.db").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  // As somebody who knows the format: rows up to `keep` stay, the others are written anew with good
  // chain values, but row `changed` tells another story.
  void Rewrite(int64_t keep, int64_t changed, int64_t last) {
    BG_ASSERT_OK_AND_ASSIGN(std::vector<store::AuditRow> rows, store_->ListAudit(0, 1000));
    Tamper(absl::StrCat("DELETE FROM audit WHERE sequence > ", keep,
                        "; UPDATE audit_head SET sequence = ", keep,
                        ", chain = (SELECT chain FROM audit WHERE sequence = ", keep, ")"));
    for (store::AuditRow& row : rows) {
      if (row.sequence <= keep || row.sequence > last) continue;
      if (row.sequence == changed) row.subject = "nothing happened here";
      EXPECT_THAT(store_->PutAudit(row), IsOk());
    }
    ASSERT_THAT(VerifyAuditChain(*store_), IsOk()) << "the forged chain must be good in itself";
  }

  std::string Export(int64_t after = 0, size_t piece = 700) {
    absl::StatusOr<TrailExport> trail = TrailExport::Open(*store_, after);
    EXPECT_THAT(trail, IsOk());
    std::string out;
    for (;;) {
      const std::string more = trail->Next(piece).value();
      if (more.empty()) return out;
      out += more;
    }
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  int rows_ = 0;
};

TEST_F(CheckpointTest, AreMadeAfterRowsAfterTimeAndAtTheEnd) {
  Checkpointer checkpointer = MakeCheckpointer({.rows = 10, .time = absl::Minutes(5)});
  EXPECT_THAT(checkpointer.Tend(kStart), IsOk());
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(0)) << "of nothing";
  AddRows(9);
  EXPECT_THAT(checkpointer.Tend(kStart + absl::Seconds(1)), IsOk());
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(0));
  AddRows(1);
  EXPECT_THAT(checkpointer.Tend(kStart + absl::Seconds(2)), IsOk());
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(1));
  EXPECT_THAT(checkpointer.Tend(kStart + absl::Hours(1)), IsOk());
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(1)) << "nothing was new";
  AddRows(1);
  EXPECT_THAT(checkpointer.Tend(kStart + absl::Hours(1)), IsOk());
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(2));
  AddRows(1);
  EXPECT_THAT(checkpointer.Stop(kStart + absl::Hours(1)), IsOk());
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(3));
  BG_ASSERT_OK_AND_ASSIGN(const Verification found, VerifyTrail(*store_, Keys()));
  EXPECT_THAT(AsStatus(found), IsOk());
  EXPECT_EQ(found.rows, 12);
  EXPECT_EQ(found.checkpoints, 3);
}

TEST_F(CheckpointTest, AClockThatWasSetBackDelaysNothing) {
  Checkpointer checkpointer = MakeCheckpointer();
  AddRows(1);
  EXPECT_THAT(checkpointer.Stop(kStart), IsOk());
  AddRows(1);
  EXPECT_THAT(checkpointer.Tend(kStart - absl::Hours(1)), IsOk());
  EXPECT_THAT(checkpointer.Tend(kStart - absl::Minutes(50)), IsOk());
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(2));
}

TEST_F(CheckpointTest, KeyStaysAndIsMadeWhenMissing) {
  const CheckpointKey first = OpenCheckpointKey(KeyFolder()).value();
  EXPECT_TRUE(first.made_now);
  EXPECT_FALSE(OpenCheckpointKey(KeyFolder())->made_now);
  EXPECT_EQ(OpenCheckpointKey(KeyFolder())->id, first.id);
  EXPECT_THAT(RemoveFile(KeyFolder() + "/checkpoint.key"), IsOk());
  EXPECT_NE(OpenCheckpointKey(KeyFolder())->id, first.id);
  EXPECT_THAT(Keys(), SizeIs(2)) << "what the first key signed still verifies";
}

TEST_F(CheckpointTest, KeyFileThatIsNoneIsRefused) {
  ASSERT_THAT(MakeFolder(KeyFolder(), 0700), IsOk());
  ASSERT_THAT(WriteFileAtomically(KeyFolder() + "/checkpoint.key", AsBytes("no key"), 0600),
              IsOk());
  EXPECT_THAT(OpenCheckpointKey(KeyFolder()), Refuses(Reason::kStateCorrupt));
}

// 30 rows, checkpoints at 10 and 20, as they lie in the store and in the log.
class A86_RemovedTraces : public CheckpointTest {
 protected:
  A86_RemovedTraces() : checkpointer_(MakeCheckpointer()) {
    AddRows(10);
    EXPECT_THAT(checkpointer_.Stop(kStart), IsOk());
    AddRows(10);
    EXPECT_THAT(checkpointer_.Stop(kStart), IsOk());
    kept_.checkpoints = store_->ListCheckpoints().value();
    AddRows(10);
  }

  // The first problem that is found; nothing: "intact".
  std::string Find(const KeptTrail& kept = {}) {
    const absl::StatusOr<Verification> found = VerifyTrail(*store_, Keys(), kept);
    EXPECT_THAT(found, IsOk());
    if (!found.ok() || found->intact()) return "intact";
    EXPECT_THAT(AsStatus(*found), Refuses(Reason::kAuditBroken));
    return absl::StrCat(found->problems.front().number, ": ", found->problems.front().text);
  }

  Checkpointer checkpointer_;
  KeptTrail kept_;
};

TEST_F(A86_RemovedTraces, AWholeTrailIsIntact) { EXPECT_EQ(Find(kept_), "intact"); }

TEST_F(A86_RemovedTraces, EachPlaceIsNamed) {
  Tamper(
      "DELETE FROM audit WHERE sequence IN (5, 6, 15); "
      "UPDATE audit SET actor = 'nobody' WHERE sequence = 25");
  BG_ASSERT_OK_AND_ASSIGN(const Verification found, VerifyTrail(*store_, Keys()));
  ASSERT_THAT(found.problems, SizeIs(3));
  EXPECT_EQ(found.problems[0].text, "audit rows 5 to 6 are missing");
  EXPECT_EQ(found.problems[1].text, "audit row 15 is missing");
  EXPECT_THAT(found.problems[2].text, HasSubstr("audit row 25 was changed"));
}

TEST_F(A86_RemovedTraces, RewrittenChainMeetsNoCheckpoint) {
  Rewrite(11, 13, 30);
  EXPECT_THAT(Find(), HasSubstr("20: audit rows 11 to 20 were replaced"));
}

TEST_F(A86_RemovedTraces, RewrittenChainAndRemovedCheckpointsAreFoundByTheKeptOnes) {
  Rewrite(11, 13, 30);
  Tamper("DELETE FROM checkpoints");
  EXPECT_EQ(Find(), "intact") << "nothing in the store tells any more";
  EXPECT_THAT(Find(kept_), HasSubstr("kept elsewhere"));
}

TEST_F(A86_RemovedTraces, TruncatedTrailIsFound) {
  Rewrite(15, 0, 15);
  EXPECT_THAT(Find(), HasSubstr("16: the end was cut off"));
  Tamper("DELETE FROM checkpoints WHERE sequence > 15");
  EXPECT_EQ(Find(), "intact");
  EXPECT_THAT(Find(kept_), HasSubstr("16: the end was cut off"));
}

TEST_F(A86_RemovedTraces, CheckpointsOfAnotherKeyCountForNothing) {
  const CheckpointKey other = OpenCheckpointKey(folder_ + "/theirs").value();
  const store::CheckpointRow forged =
      SignCheckpoint(*other.key, store_->GetAuditHead().value(), kStart).value();
  ASSERT_THAT(store_->PutCheckpoint(forged), IsOk());
  EXPECT_THAT(Find(), HasSubstr("30: the checkpoint of audit row 30 is signed by key " + other.id));
}

TEST_F(A86_RemovedTraces, ChangedSignatureIsFound) {
  Tamper("UPDATE checkpoints SET at = at + 1 WHERE sequence = 10");
  EXPECT_THAT(Find(),
              HasSubstr("10: the checkpoint of audit row 10 has a signature that does not"));
}

TEST_F(A86_RemovedTraces, ARunningGatekeeperDoesNotVouchForThem) {
  Tamper("UPDATE audit SET actor = 'nobody' WHERE sequence = 25");
  EXPECT_THAT(checkpointer_.Stop(kStart), Refuses(Reason::kAuditBroken));
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(2));
}

TEST_F(A86_RemovedTraces, ARunningGatekeeperKnowsWhatItSigned) {
  Tamper("DELETE FROM checkpoints");
  Rewrite(15, 0, 15);
  EXPECT_THAT(checkpointer_.Stop(kStart), Refuses(Reason::kAuditBroken));
  EXPECT_THAT(*store_->ListCheckpoints(), SizeIs(0));
}

TEST_F(A86_RemovedTraces, ExportNamesTheRowThatWasReplaced) {
  std::istringstream earlier(Export());
  KeptTrail kept;
  ASSERT_THAT(ReadKept(earlier, &kept), IsOk());
  EXPECT_EQ(Find(kept), "intact");
  Tamper("DELETE FROM checkpoints");
  Rewrite(12, 14, 30);
  const CheckpointKeys keys = Keys();
  BG_ASSERT_OK_AND_ASSIGN(const Verification found,
                          VerifyTrail(*store_, keys, {.chains = kept.chains}));
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].number, 14);
}

TEST_F(A86_RemovedTraces, ExportVerifiesOffline) {
  for (const int64_t after : {0, 7, 10, 30}) {
    std::istringstream text(Export(after));
    const CheckpointKeys keys = Keys();
    BG_ASSERT_OK_AND_ASSIGN(const Verification found, VerifyText(text, &keys, kept_));
    EXPECT_THAT(AsStatus(found), IsOk()) << after;
    EXPECT_EQ(found.rows, 30 - after);
    EXPECT_EQ(found.checkpoints, after < 10 ? 2 : after < 20 ? 1 : 0);
  }
}

TEST_F(A86_RemovedTraces, ExportThatWasTouchedIsFound) {
  const std::string good = Export();
  const auto find = [&](absl::string_view what, absl::string_view with) {
    std::string text = good;
    const size_t at = text.find(std::string(what));
    EXPECT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), std::string(with));
    std::istringstream in(text);
    const CheckpointKeys keys = Keys();
    const absl::StatusOr<Verification> found = VerifyText(in, &keys);
    return found.ok() ? std::string(AsStatus(*found).message())
                      : std::string(found.status().message());
  };
  EXPECT_THAT(find("row 12", "row XX"), HasSubstr("audit row 12 was changed"));
  EXPECT_THAT(find("{\"kind\":\"end\",\"last\":30}\n", ""), HasSubstr("breaks off behind row 30"));
  EXPECT_THAT(find("\"last\":30", "\"last\":31"), HasSubstr("up to row 31"));
  EXPECT_THAT(find("\"version\":1", "\"version\":2"), HasSubstr("line 1: of another version"));
  EXPECT_THAT(find("\"actor\"", "\"hector\""), HasSubstr("line 2: actor: missing"));
  EXPECT_THAT(find("{\"kind\":\"trail\"", "{\"kind\":\"row\""), HasSubstr("line 1"));
}

TEST_F(A86_RemovedTraces, LogLinesAreReadAsCheckpoints) {
  const store::CheckpointRow& row = kept_.checkpoints.front();
  std::istringstream log(absl::StrCat(
      "Nov 22 host systemd[1]: something else\n{\"message\":\"ready\"}\n",
      R"({"time":"2026-11-22T10:00:00Z","level":"info","message":"audit checkpoint","number":")",
      row.sequence, R"(","at":")", ExactTime(row.at), R"(","chain":")", ToHex(row.chain),
      R"(","key_id":")", row.key_id, R"(","signature":")", ToBase64(row.signature), "\"}\n"));
  KeptTrail kept;
  ASSERT_THAT(ReadKept(log, &kept), IsOk());
  ASSERT_THAT(kept.checkpoints, SizeIs(1));
  EXPECT_THAT(CheckCheckpoint(kept.checkpoints.front(), Keys()), IsOk());
  std::istringstream nothing("nothing of ours\n");
  EXPECT_TRUE(absl::IsInvalidArgument(ReadKept(nothing, &kept)));
}

}  // namespace
}  // namespace bootgate::gatekeeper::audit
