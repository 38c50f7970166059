#include "gatekeeper/cli/ima_push.h"

#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "common/base/files.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/admission/set_shelf.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::testing::HasSubstr;

class ImaPushTest : public ::testing::Test {
 protected:
  ImaPushTest() : folder_(::testing::TempDir() + "ima-push-" + std::to_string(getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    store_ = store::OpenSqlite({.path = folder_ + "/store", .create = true}).value();
  }
  ~ImaPushTest() override { std::filesystem::remove_all(folder_); }

  ExitCode Push(const std::string& file) {
    const Operator op{.store = *store_,
                      .clock = clock_,
                      .actor = "operator alice",
                      .format = OutputFormat::kTable,
                      .out = out_,
                      .err = err_};
    return ImaPush(op, {.set = file, .folder = folder_ + "/sets", .verify_keys = {}});
  }

  const std::string folder_;
  testing::FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  std::unique_ptr<store::Store> store_;
  std::ostringstream out_, err_;
};

TEST_F(ImaPushTest, PutsTheSetWhereAGatekeeperFindsIt) {
  reference::SetDraft draft;
  draft.items = {testing::Item("/bin/a", "a")};
  BG_ASSERT_OK_AND_ASSIGN(const auto set, testing::Opened(draft));
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/a.imaset", set->file(), 0644).ok());
  EXPECT_EQ(Push(folder_ + "/a.imaset"), ExitCode::kSuccess) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("\"sets\": [\"" + set->id() + "\"]"));
  EXPECT_EQ(admission::SetShelf(folder_ + "/sets").Find({set->id()}).size(), 1u);
  EXPECT_EQ(Push(folder_ + "/a.imaset"), ExitCode::kSuccess) << "a second time changes nothing";
}

TEST_F(ImaPushTest, WhoPushedWhatIsInTheAuditLog) {
  reference::SetDraft draft;
  draft.name = "bookworm";
  draft.items = {testing::Item("/bin/a", "a")};
  BG_ASSERT_OK_AND_ASSIGN(const auto set, testing::Opened(draft));
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/a.imaset", set->file(), 0644).ok());
  ASSERT_EQ(Push(folder_ + "/a.imaset"), ExitCode::kSuccess) << err_.str();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<store::AuditRow> rows, store_->ListAudit(0, 10));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].actor, "operator alice");
  EXPECT_EQ(rows[0].action, "imaset.store");
  EXPECT_EQ(rows[0].subject, set->id());
  EXPECT_EQ(rows[0].at, clock_.Now());
  EXPECT_THAT(rows[0].detail_json, HasSubstr(R"("name":"bookworm")"));
}

TEST_F(ImaPushTest, RefusesWhatIsNoSet) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/no.imaset", AsBytes("nothing"), 0644).ok());
  EXPECT_NE(Push(folder_ + "/no.imaset"), ExitCode::kSuccess);
  EXPECT_THAT(err_.str(), HasSubstr("no.imaset"));
  EXPECT_NE(Push(folder_ + "/missing.imaset"), ExitCode::kSuccess);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/sets"));
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<store::AuditRow> rows, store_->ListAudit(0, 10));
  EXPECT_TRUE(rows.empty());
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
