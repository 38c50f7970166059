// The verbs on reference sets, from files to files.
#include "gatekeeper/cli/ima_sets.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/testing/corpus.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;
using Json = nlohmann::json;

class ImaSetsTest : public ::testing::Test {
 protected:
  ImaSetsTest() : clock_(absl::FromUnixSeconds(1'800'000'000)) {
    folder_ = ::testing::TempDir() + "ima_sets_" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ImaSetsTest() override { std::filesystem::remove_all(folder_); }

  std::string At(const std::string& name) const { return folder_ + "/" + name; }
  std::string Put(const std::string& name, absl::string_view content) const {
    EXPECT_THAT(WriteFileAtomically(At(name), AsBytes(content), 0644), IsOk());
    return At(name);
  }
  std::string PutSet(const std::string& name, const reference::SetDraft& draft) const {
    return Put(name, AsText(*reference::WriteSet(draft)));
  }
  ImaSetOutput To(OutputFormat format = OutputFormat::kJson) {
    out_.str("");
    err_.str("");
    return {format, out_, err_, clock_};
  }
  Json Out() const { return Json::parse(out_.str()); }

  static std::string Line(absl::string_view content, absl::string_view path) {
    return absl::StrCat(ToHex(testing::DigestOf(content)), "  ", path, "\n");
  }

  std::string folder_;
  testing::FakeClock clock_;
  std::ostringstream out_, err_;
};

TEST_F(ImaSetsTest, BuildsTheSameSetTwice) {
  ImaBuildOptions options;
  options.sums = {Put("sums", Line("1", "/a") + Line("2", "/b"))};
  options.name = "web";
  options.out_file = At("one.set");
  ASSERT_EQ(ImaBuild(options, To()), ExitCode::kSuccess) << err_.str();
  const Json first = Out();
  EXPECT_EQ(first["paths"], 2);
  EXPECT_EQ(first["origin"], "sha256sums");
  clock_.Advance(absl::Hours(1));
  options.out_file = At("two.set");
  ASSERT_EQ(ImaBuild(options, To()), ExitCode::kSuccess);
  EXPECT_EQ(Out()["id"], first["id"]);
}

TEST_F(ImaSetsTest, BuildFromAFolderShowsItsPaths) {
  std::filesystem::create_directories(At("root/usr/bin"));
  Put("root/usr/bin/tool", "1");
  ASSERT_EQ(ImaBuild({.folders = {At("root")}, .out_file = At("s.set")}, To()), ExitCode::kSuccess);
  ASSERT_EQ(ImaShow({.set = At("s.set"), .path = "/usr/bin/tool"}, To()), ExitCode::kSuccess);
  EXPECT_EQ(Out()["algorithms"]["sha256"], 1);
  EXPECT_EQ(Out()["signature"], "unsigned");
  ASSERT_THAT(Out()["listed"], SizeIs(1));
  EXPECT_EQ(Out()["listed"][0]["digest"], "sha256:" + ToHex(testing::DigestOf("1")));
  ASSERT_EQ(ImaShow({.set = At("s.set"), .path = "/usr/bin/tool"}, To(OutputFormat::kTable)),
            ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("always .. open"));
}

TEST_F(ImaSetsTest, BuildFromNothingSaysWhatThereIs) {
  EXPECT_EQ(ImaBuild({.out_file = At("s.set")}, To()), ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--packages"));
  EXPECT_FALSE(FileExists(At("s.set")));
}

TEST_F(ImaSetsTest, BuildNamesFileAndLineOfABadList) {
  EXPECT_EQ(ImaBuild({.sums = {Put("sums", "hello\n")}, .out_file = At("s.set")}, To()),
            ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("sums: line 1"));
  EXPECT_FALSE(FileExists(At("s.set")));
}

TEST_F(ImaSetsTest, MergeClosesTheOldAfterTheGraceAndDiffShowsIt) {
  reference::SetDraft older, newer;
  older.items = {testing::Packaged("/t", "old", testing::Deb("tool", "1"))};
  newer.items = {testing::Packaged("/t", "new", testing::Deb("tool", "2"))};
  const std::string a = PutSet("a.set", older), b = PutSet("b.set", newer);
  ASSERT_EQ(ImaMerge({.older = a, .newer = b, .out_file = At("c.set"), .grace = "2d"}, To()),
            ExitCode::kSuccess)
      << err_.str();
  ASSERT_EQ(ImaDiff({.before = a, .after = At("c.set")}, To()), ExitCode::kSuccess);
  ASSERT_THAT(Out()["changed"], SizeIs(1));
  ASSERT_THAT(Out()["windows"], SizeIs(1));
  EXPECT_EQ(Out()["windows"][0]["after"]["not_after"], 1'800'000'000 + 2 * 24 * 3600);
  clock_.Advance(absl::Hours(49));
  ASSERT_EQ(ImaShow({.set = At("c.set")}, To()), ExitCode::kSuccess);
  EXPECT_EQ(Out()["windows"]["closed"], 1);
  EXPECT_EQ(Out()["windows"]["good_now"], 1);
}

TEST_F(ImaSetsTest, ExpireClosesAndDrops) {
  reference::SetDraft set, against;
  set.items = {testing::Item("/kept", "1"), testing::Item("/gone", "1"),
               testing::Item("/long-closed", "1", {0, 10})};
  against.items = {testing::Item("/kept", "1")};
  const std::string a = PutSet("a.set", set), b = PutSet("b.set", against);
  ASSERT_EQ(ImaExpire({.set = a,
                       .out_file = At("c.set"),
                       .against = b,
                       .at = "2026-11-22T12:00:00Z",
                       .drop_before = "1000"},
                      To()),
            ExitCode::kSuccess)
      << err_.str();
  EXPECT_EQ(Out()["closed"], 1);
  EXPECT_EQ(Out()["dropped"], 1);
  ASSERT_EQ(ImaShow({.set = At("c.set"), .path = "/gone"}, To()), ExitCode::kSuccess);
  EXPECT_EQ(Out()["listed"][0]["window"]["not_after"], 1795348800);
}

TEST_F(ImaSetsTest, BadTimesAndDurationsAreToldWithTheForm) {
  const std::string a = PutSet("a.set", {});
  EXPECT_EQ(ImaMerge({.older = a, .newer = a, .out_file = At("c.set"), .grace = "soon"}, To()),
            ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--grace 'soon': write 90m, 12h or 7d"));
  EXPECT_EQ(ImaMerge({.older = a, .newer = a, .out_file = At("c.set"), .at = "later"}, To()),
            ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--at 'later'"));
  EXPECT_EQ(ImaExpire({.set = a, .out_file = At("c.set")}, To()), ExitCode::kUsage);
}

TEST_F(ImaSetsTest, ImportsKeylimesSignedPolicyAndTellsWhatWasNotKept) {
  ImaImportOptions options;
  options.file = testing::CorpusPath("keylime/policy-signed.json");
  options.out_file = At("k.set");
  options.verify_keys = {testing::CorpusPath("keylime/policy-key.pem")};
  ASSERT_EQ(ImaImport(options, To()), ExitCode::kSuccess) << err_.str();
  EXPECT_EQ(Out()["digests"], 21);
  EXPECT_EQ(Out()["signature"], "verified");
  ASSERT_THAT(Out()["not_kept"], SizeIs(1));
  EXPECT_THAT(Out()["not_kept"][0].get<std::string>(), HasSubstr("boot_aggregate"));
  ASSERT_EQ(ImaImport(options, To(OutputFormat::kTable)), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("not_kept: boot_aggregate"));
}

TEST_F(ImaSetsTest, BadlySignedAndUnsignedInputIsRefusedWhereAKeyIsGiven) {
  const std::vector<std::string> keys = {testing::CorpusPath("keylime/policy-key.pem")};
  EXPECT_NE(ImaImport({.file = testing::CorpusPath("keylime/policy-signed-bad.json"),
                       .out_file = At("k.set"),
                       .verify_keys = keys},
                      To()),
            ExitCode::kSuccess);
  EXPECT_THAT(err_.str(), HasSubstr("SIG_INVALID"));
  EXPECT_FALSE(FileExists(At("k.set")));
  const std::string unsigned_set = PutSet("a.set", {});
  EXPECT_NE(ImaShow({.set = unsigned_set, .verify_keys = keys}, To()), ExitCode::kSuccess);
  EXPECT_THAT(err_.str(), HasSubstr("a.set"));
  EXPECT_THAT(err_.str(), HasSubstr("SIG_INVALID"));
}

TEST_F(ImaSetsTest, FilesThatAreNoSetsAreNamed) {
  EXPECT_EQ(ImaShow({.set = At("none.set")}, To()), ExitCode::kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("none.set"));
  EXPECT_NE(ImaShow({.set = Put("bad.set", "hello")}, To()), ExitCode::kSuccess);
  EXPECT_THAT(err_.str(), HasSubstr("bad.set"));
  EXPECT_THAT(err_.str(), HasSubstr("REFERENCE_PARSE"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
