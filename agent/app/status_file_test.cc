#include "agent/app/status_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::app {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

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

TEST_F(StatusFileTest, TellsTheTpmAndWhichTssItIs) {
  StatusReport report;
  report.phase = "trusted";
  report.notices = {"look here"};
  report.counts = {.tries = 5, .verdicts = 4, .admitted = 3, .tpm_failures = 1};
  report.tpm_usage = {.commands = 100, .sent_again = 2, .opened = 1};
  report.tpm.emplace();
  report.tpm->properties.manufacturer = "IBM";
  report.tpm->properties.firmware_version = 0x2019102300163636;
  report.tpm->clock.reset_count = 7;
  report.tpm->locked_out = true;
  ASSERT_THAT(WriteStatus(folder_, report), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const StatusReport read, ReadStatus(folder_));
  EXPECT_EQ(read.notices, report.notices);
  EXPECT_EQ(read.counts.admitted, 3u);
  EXPECT_EQ(read.counts.tpm_failures, 1u);
  EXPECT_EQ(read.tpm_usage.sent_again, 2u);
  ASSERT_TRUE(read.tpm.has_value());
  EXPECT_EQ(read.tpm->properties.firmware_version, report.tpm->properties.firmware_version);
  EXPECT_EQ(read.tpm->clock.reset_count, 7u);
  EXPECT_TRUE(read.tpm->locked_out);
  const std::string json = StatusJson(report);
  EXPECT_THAT(json, ::testing::HasSubstr("\"predates_4_2_0\""));
  EXPECT_THAT(json, ::testing::HasSubstr("\"version\": \"" + std::string(tpm::TssVersion())));
}

TEST_F(StatusFileTest, WayOutIsOfTheReasonOrElseOfThePhase) {
  StatusReport report;
  report.phase = "gatekeeper unreachable";
  EXPECT_THAT(AdviceFor(report).way_out, ::testing::HasSubstr("keeps trying"));
  report.phase = "refused";
  report.reason = "NONCE_EXPIRED";
  EXPECT_EQ(AdviceFor(report).way_out, Info(Reason::kNonceExpired).way_out);
  report.phase = "joined, not running";
  report.reason = "";
  EXPECT_EQ(AdviceFor(report).way_out, "");
}

TEST_F(StatusFileTest, OfAnotherHandIsNotBelieved) {
  StatusReport report;
  report.phase = "trusted";
  ASSERT_THAT(WriteStatus(folder_, report), IsOk());
  const std::string path = folder_ + "/status.json";
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  EXPECT_THAT(ReadStatus(folder_), Refuses(Reason::kStateCorrupt));
  ASSERT_THAT(RemoveFile(path), IsOk());
  ASSERT_EQ(symlink("/etc/hostname", path.c_str()), 0);
  EXPECT_THAT(ReadStatus(folder_), Refuses(Reason::kStateCorrupt));
  ASSERT_THAT(WriteStatus(folder_, report), IsOk()) << "the link is replaced, not followed";
  EXPECT_THAT(ReadStatus(folder_), IsOk());
}

TEST(StatusJson, NamesTheSocketAndTheAttestationKeyWhenTheyAreKnown) {
  StatusReport report;
  EXPECT_THAT(StatusJson(report), ::testing::Not(HasSubstr("workload")));
  report.ak = "google-ecc";
  report.socket = SocketSummary{"/run/bootgate/workload/api.sock", 2, 9, 1};
  const std::string json = StatusJson(report);
  EXPECT_THAT(json, HasSubstr("\"ak\": \"google-ecc\""));
  EXPECT_THAT(json, HasSubstr("\"socket\": \"/run/bootgate/workload/api.sock\""));
  EXPECT_THAT(json, HasSubstr("\"connections\": 2"));
}

TEST(SocketReport, IsReadAsItWasWritten) {
  const desk::ScratchFolder folder;
  EXPECT_FALSE(ReadSocketReport(folder.path()).has_value());
  workload::SocketReport told;
  told.path = "/run/x.sock";
  told.connections = 3;
  told.refused = 4;
  ASSERT_THAT(WriteSocketReport(folder.path(), told), IsOk());
  const auto read = ReadSocketReport(folder.path());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->path, "/run/x.sock");
  EXPECT_EQ(read->connections, 3u);
  EXPECT_EQ(read->refused, 4u);
}

}  // namespace
}  // namespace bootgate::agent::app
