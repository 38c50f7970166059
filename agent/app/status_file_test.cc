#include "agent/app/status_file.h"

#include <cstdlib>

#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::agent::app {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

class StatusFileTest : public ::testing::Test {
 protected:
  StatusFileTest() {
    std::string pattern = ::testing::TempDir() + "/status.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  std::string folder_;
};

TEST_F(StatusFileTest, IsReadBack) {
  StatusReport report;
  report.phase = "gatekeeper unreachable";
  report.detail = "connection refused";
  report.failures = 3;
  report.next_try_at = absl::FromUnixSeconds(1800000000);
  ASSERT_THAT(WriteStatus(folder_, report), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const StatusReport read, ReadStatus(folder_));
  EXPECT_EQ(read.phase, report.phase);
  EXPECT_EQ(read.detail, report.detail);
  EXPECT_EQ(read.failures, 3);
  EXPECT_EQ(read.next_try_at, report.next_try_at);
}

TEST_F(StatusFileTest, MissingAndCorruptDiffer) {
  EXPECT_THAT(ReadStatus(folder_), HasCode(absl::StatusCode::kNotFound));
  ASSERT_THAT(WriteFileAtomically(folder_ + "/status.json", AsBytes("{\"phase\": "), 0600), IsOk());
  EXPECT_THAT(ReadStatus(folder_), Refuses(Reason::kStateCorrupt));
  ASSERT_THAT(WriteFileAtomically(folder_ + "/status.json",
                                  AsBytes("{\"phase\": 7, \"failures\": \"x\"}"), 0600),
              IsOk());
  EXPECT_THAT(ReadStatus(folder_), IsOk());
}

}  // namespace
}  // namespace bootgate::agent::app
