#include "agent/sources/user_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/base/files.h"
#include "common/cel/log.h"
#include "common/testing/status_matchers.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::sources {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

class UserLogTest : public ::testing::Test {
 protected:
  void Append(absl::string_view text) const {
    std::ofstream(path_, std::ios::app | std::ios::binary) << std::string(text);
  }
  // As systemd opens it, in the way of another process: locks belong to the open file.
  int OpenForWriting() const { return open(path_.c_str(), O_WRONLY | O_CLOEXEC); }

  const desk::ScratchFolder scratch_;
  const std::string path_ = scratch_.path() + "/tpm2-measure.log";
  const Paths paths_ = {.user_log = path_};
};

TEST_F(UserLogTest, MissingLogIsEmptyAndAnUnreadableOneIsAnError) {
  BG_ASSERT_OK_AND_ASSIGN(HeldUserLog none, HeldUserLog::Hold(paths_));
  EXPECT_TRUE(none.bytes().empty());
  EXPECT_THAT(none.Release(), IsOk());
  EXPECT_FALSE(HeldUserLog::Hold({.user_log = scratch_.path()}).ok());  // a folder
}

TEST_F(UserLogTest, NobodyWritesWhileItIsHeld) {
  Append("\x1e{}\n");
  const int writer = OpenForWriting();
  ASSERT_GE(writer, 0);
  {
    BG_ASSERT_OK_AND_ASSIGN(HeldUserLog held, HeldUserLog::Hold(paths_));
    EXPECT_EQ(held.bytes().size(), 4u);
    EXPECT_NE(flock(writer, LOCK_EX | LOCK_NB), 0);
    EXPECT_THAT(held.Release(), IsOk());
    EXPECT_EQ(flock(writer, LOCK_EX | LOCK_NB), 0);
  }
  close(writer);
}

TEST_F(UserLogTest, LogThatIsBeingWrittenIsTriedAgain) {
  Append("\x1e{}\n");
  const int writer = OpenForWriting();
  ASSERT_EQ(flock(writer, LOCK_EX | LOCK_NB), 0);
  EXPECT_THAT(HeldUserLog::Hold(paths_), Refuses(Reason::kRetryLogBehind));
  close(writer);
  EXPECT_THAT(HeldUserLog::Hold(paths_), IsOk());
}

TEST_F(UserLogTest, WriterWhoIgnoresTheLockIsNoticed) {
  BG_ASSERT_OK_AND_ASSIGN(HeldUserLog absent, HeldUserLog::Hold(paths_));
  Append("\x1e{}\n");  // the first record of the boot
  EXPECT_THAT(absent.Release(), Refuses(Reason::kRetryLogBehind));
  BG_ASSERT_OK_AND_ASSIGN(HeldUserLog held, HeldUserLog::Hold(paths_));
  Append("\x1e{}\n");
  EXPECT_THAT(held.Release(), Refuses(Reason::kRetryLogBehind));
}

TEST_F(UserLogTest, LogBeyondTheBoundIsRefused) {
  Append("x");
  std::filesystem::resize_file(path_, cel::kMaxLogBytes + 1);
  EXPECT_THAT(HeldUserLog::Hold(paths_), HasCode(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace bootgate::agent::sources
