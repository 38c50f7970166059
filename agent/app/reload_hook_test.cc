#include "agent/app/reload_hook.h"

#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::app {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;

TEST(ReloadHook, IsRunWithItsArgumentsAsTheyAreAndToldWhatHappened) {
  const desk::ScratchFolder scratch;
  const std::string out = scratch.path() + "/out $(id)";
  ASSERT_THAT(
      RunHook({"sh", "-c", "printf '%s %s' \"$BOOTGATE_CREDENTIAL\" \"$HOME\" > \"$1\"", "sh", out},
              "installed", absl::Seconds(60)),
      IsOk());
  EXPECT_EQ(ReadTextFile(out, 100).value(), "installed ");
}

TEST(ReloadHook, NoneIsFine) { EXPECT_THAT(RunHook({}, "installed", absl::Seconds(1)), IsOk()); }

TEST(ReloadHook, OneThatFailsIsTold) {
  const absl::Status failed = RunHook({"sh", "-c", "exit 3"}, "installed", absl::Seconds(60));
  EXPECT_THAT(failed, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(failed.message(), "sh ended with 3");
  EXPECT_THAT(RunHook({"/nowhere/at all"}, "installed", absl::Seconds(60)),
              HasCode(absl::StatusCode::kFailedPrecondition));
}

TEST(ReloadHook, OneThatDoesNotEndIsEndedWithItsChildren) {
  const desk::ScratchFolder scratch;
  const std::string fifo = scratch.path() + "/fifo";
  // The child holds nothing of ours and waits for ever; with the group it goes.
  EXPECT_THAT(RunHook({"sh", "-c", "mkfifo \"$1\"; cat \"$1\" & cat \"$1\"", "sh", fifo},
                      "installed", absl::Milliseconds(200)),
              HasCode(absl::StatusCode::kDeadlineExceeded));
}

}  // namespace
}  // namespace bootgate::agent::app
