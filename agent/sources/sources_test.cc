#include "agent/sources/sources.h"

#include <filesystem>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::sources {
namespace {

using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::CorpusPath;
using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;

TEST(Sources, ReadsTheLogsAsTheyAre) {
  const Paths paths = {.boot_log = CorpusPath("boots/good/eventlog.bin"),
                       .ima_list = CorpusPath("boots/good/ima.bin")};
  BG_ASSERT_OK_AND_ASSIGN(const Bytes log, ReadBootLog(paths));
  EXPECT_EQ(log, CorpusFile("boots/good/eventlog.bin"));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes ima, ReadImaList(paths));
  EXPECT_EQ(ima, CorpusFile("boots/good/ima.bin"));
}

TEST(Sources, MissingLogIsEmptyButAnUnreadableOneIsAnError) {
  const desk::ScratchFolder scratch;
  const std::string missing = scratch.path() + "/missing";
  BG_ASSERT_OK_AND_ASSIGN(const Bytes none, ReadBootLog({.boot_log = missing}));
  EXPECT_TRUE(none.empty());
  BG_ASSERT_OK_AND_ASSIGN(const Bytes no_list, ReadImaList({.ima_list = missing}));
  EXPECT_TRUE(no_list.empty());
  EXPECT_FALSE(ReadBootLog({.boot_log = scratch.path()}).ok());  // a folder
  EXPECT_FALSE(ReadImaList({.ima_list = scratch.path()}).ok());
}

TEST(Sources, LogBeyondTheBoundIsRefused) {
  const desk::ScratchFolder scratch;
  const std::string path = scratch.path() + "/log";
  ASSERT_THAT(WriteFileAtomically(path, AsBytes("x"), 0600), IsOk());
  std::filesystem::resize_file(path, (size_t{64} << 20) + 1);
  EXPECT_THAT(ReadBootLog({.boot_log = path}), HasCode(absl::StatusCode::kResourceExhausted));
}

TEST(Sources, FactsAreShortPrintableAndMayBeAbsent) {
  const desk::ScratchFolder scratch;
  const std::string os = scratch.path() + "/os-release", boot = scratch.path() + "/boot_id";
  ASSERT_THAT(WriteFileAtomically(
                  os, AsBytes("ID=debian\nPRETTY_NAME=\"Debian\x1b[31m 12\"\nVERSION=1\n"), 0600),
              IsOk());
  ASSERT_THAT(WriteFileAtomically(boot, AsBytes(std::string(5000, 'b')), 0600), IsOk());
  const evidence::HostFacts facts = ReadFacts({.os_release = os, .boot_id = boot}, "0.1.0");
  EXPECT_THAT(facts.os_release, ::testing::HasSubstr("Debian"));
  EXPECT_EQ(facts.os_release.find('\x1b'), std::string::npos);
  EXPECT_LE(facts.boot_id.size(), 260u);
  EXPECT_EQ(facts.agent_version, "0.1.0");
  EXPECT_FALSE(facts.kernel_release.empty());

  EXPECT_EQ(ReadKernelBootId({.boot_id = "/none"}), "");
  const evidence::HostFacts bare = ReadFacts({.os_release = "/none", .boot_id = "/none"}, "");
  EXPECT_EQ(bare.os_release, "");
  EXPECT_EQ(bare.boot_id, "");
}

}  // namespace
}  // namespace bootgate::agent::sources
