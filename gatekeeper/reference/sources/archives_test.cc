// .deb and .rpm files, and folders of them.
#include <filesystem>
#include <map>

#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/change.h"
#include "gatekeeper/reference/sources/deb.h"
#include "gatekeeper/reference/sources/package_builder_test.h"
#include "gatekeeper/reference/sources/package_folder.h"
#include "gatekeeper/reference/sources/rpm.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using testing::Control;
using testing::DebOf;
using ::testing::ElementsAre;
using testing::HasCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Packed;
using ::testing::Pair;
using testing::RpmOf;
using ::testing::UnorderedElementsAre;

std::string HexOf(absl::string_view content) {
  return crypto::Hash(crypto::HashAlg::kSha256, AsBytes(content)).hex();
}

class PackagesTest : public ::testing::Test {
 protected:
  PackagesTest() {
    folder_ = ::testing::TempDir() + "packages_" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/pool/main");
  }
  ~PackagesTest() override { std::filesystem::remove_all(folder_); }

  std::string Put(const std::string& name, absl::string_view content) {
    const std::string path = folder_ + "/" + name;
    EXPECT_THAT(WriteFileAtomically(path, AsBytes(content), 0644), IsOk());
    return path;
  }

  std::multimap<std::string, std::string> Digests() const {
    std::multimap<std::string, std::string> out;
    for (const SetItem& item : draft_.items) out.emplace(item.path, ToHex(item.digest));
    return out;
  }

  std::string folder_;
  SetDraft draft_;
};

TEST_F(PackagesTest, DebGivesItsFilesUnderItsName) {
  const std::string deb =
      Put("a.deb", DebOf(Control("tool", "1:2.0-1"),
                         {{.path = "./usr/bin/tool", .content = "binary", .mode = 0755},
                          {.path = "./usr/share/doc/tool/copyright", .content = "text"},
                          {.path = "./usr/bin/link", .content = "", .symlink = "tool"},
                          {.path = "./etc/empty", .content = ""}}));
  ASSERT_THAT(AddDeb(deb, WhichFiles::kAll, &draft_), IsOk());
  EXPECT_THAT(Digests(), UnorderedElementsAre(Pair("/usr/bin/tool", HexOf("binary")),
                                              Pair("/usr/share/doc/tool/copyright", HexOf("text")),
                                              Pair("/etc/empty", HexOf(""))));
  EXPECT_EQ(draft_.items[0].package, (Package{"tool", "1:2.0-1", "deb:amd64"}));
}

TEST_F(PackagesTest, DebIsReadInEveryCompression) {
  for (const char* const filter : {"none", "gzip", "xz", "zstd", "bzip2"}) {
    draft_ = {};
    const std::string deb =
        Put("a.deb", DebOf(Control("tool", "1"),
                           {{.path = "./a", .content = std::string(300'000, 'x')}}, filter));
    ASSERT_THAT(AddDeb(deb, WhichFiles::kAll, &draft_), IsOk()) << filter;
    EXPECT_THAT(Digests(), ElementsAre(Pair("/a", HexOf(std::string(300'000, 'x'))))) << filter;
  }
}

TEST_F(PackagesTest, UnmergedPathsAreAddedByTheirMergedOnesToo) {
  const std::string deb =
      Put("a.deb", DebOf(Control("tool", "1"), {{.path = "./bin/sh", .content = "1"},
                                                {.path = "./lib/x.so", .content = "2"},
                                                {.path = "./library/x", .content = "3"}}));
  ASSERT_THAT(AddDeb(deb, WhichFiles::kAll, &draft_), IsOk());
  EXPECT_THAT(Digests(),
              UnorderedElementsAre(Pair("/bin/sh", HexOf("1")), Pair("/usr/bin/sh", HexOf("1")),
                                   Pair("/lib/x.so", HexOf("2")), Pair("/usr/lib/x.so", HexOf("2")),
                                   Pair("/library/x", HexOf("3"))));
}

TEST_F(PackagesTest, EveryNameOfAFileHasItsDigest) {
  const std::string deb = Put(
      "a.deb", DebOf(Control("tool", "1"),
                     {{.path = "./usr/bin/perl", .content = "perl"},
                      {.path = "./usr/bin/perl5", .content = "", .hardlink = "./usr/bin/perl"}}));
  ASSERT_THAT(AddDeb(deb, WhichFiles::kAll, &draft_), IsOk());
  EXPECT_THAT(Digests(), UnorderedElementsAre(Pair("/usr/bin/perl", HexOf("perl")),
                                              Pair("/usr/bin/perl5", HexOf("perl"))));
}

TEST_F(PackagesTest, OnlyExecutablesWhereThatIsAskedFor) {
  const std::string deb =
      Put("a.deb", DebOf(Control("tool", "1"), {{.path = "./b", .content = "1", .mode = 0755},
                                                {.path = "./c", .content = "2"}}));
  ASSERT_THAT(AddDeb(deb, WhichFiles::kExecutables, &draft_), IsOk());
  EXPECT_THAT(Digests(), ElementsAre(Pair("/b", HexOf("1"))));
}

TEST_F(PackagesTest, DamagedDebsNameTheFileAndChangeNothing) {
  const std::string good =
      DebOf(Control("tool", "1"), {{.path = "./a", .content = std::string(5000, 'x')}});
  const std::pair<std::string, std::string> rows[] = {
      {"", "a.deb"},
      {"hello", "a.deb"},
      {good.substr(0, good.size() / 2), "a.deb"},
      {DebOf("Package: x\n", {}), "lacks Package, Version or Architecture"},
      {DebOf(Control("t", "1"), {{.path = "./../etc/shadow", .content = "1"}}), "../etc/shadow"},
      {testing::Ar({{.path = "debian-binary", .content = "2.0\n"}}), "no data.tar"},
      {testing::Ar({{.path = "data.tar", .content = "x"}}), "before its control.tar"},
  };
  for (const auto& [content, says] : rows) {
    const absl::Status added = AddDeb(Put("a.deb", content), WhichFiles::kAll, &draft_);
    EXPECT_FALSE(added.ok()) << says;
    EXPECT_THAT(std::string(added.message()), HasSubstr(says));
    EXPECT_THAT(draft_.items, IsEmpty());
  }
  EXPECT_FALSE(AddDeb(folder_ + "/none.deb", WhichFiles::kAll, &draft_).ok());
}

TEST_F(PackagesTest, RpmGivesItsFilesUnderItsName) {
  for (const char* const filter : {"gzip", "xz", "zstd"}) {
    draft_ = {};
    const std::string rpm =
        Put("a.rpm", RpmOf({"kernel-core", "5.14.0", "362.el9", 3},
                           {{.path = "./usr/bin/tool", .content = "binary", .mode = 0755},
                            {.path = "./lib/modules/x.ko", .content = "module"}},
                           filter));
    ASSERT_THAT(AddRpm(rpm, WhichFiles::kAll, &draft_), IsOk()) << filter;
    EXPECT_THAT(Digests(), UnorderedElementsAre(Pair("/usr/bin/tool", HexOf("binary")),
                                                Pair("/lib/modules/x.ko", HexOf("module")),
                                                Pair("/usr/lib/modules/x.ko", HexOf("module"))));
    EXPECT_EQ(draft_.items[0].package, (Package{"kernel-core", "3:5.14.0-362.el9", "rpm:x86_64"}));
  }
}

// In cpio the content stands with the last name.
TEST_F(PackagesTest, EveryNameOfAFileInAnRpmHasItsDigest) {
  const std::string rpm =
      Put("a.rpm", RpmOf({"git", "2.0", "1"},
                         {{.path = "./usr/bin/git", .content = "", .links = 2},
                          {.path = "./usr/libexec/git-add", .content = "git", .links = 2}}));
  ASSERT_THAT(AddRpm(rpm, WhichFiles::kAll, &draft_), IsOk());
  EXPECT_THAT(Digests(), UnorderedElementsAre(Pair("/usr/bin/git", HexOf("git")),
                                              Pair("/usr/libexec/git-add", HexOf("git"))));
}

TEST_F(PackagesTest, DamagedRpmsNameTheFileAndChangeNothing) {
  const std::string good = RpmOf({"a", "1", "1"}, {{.path = "./a", .content = "1"}});
  for (const std::string& content : {std::string(), std::string("hello"), good.substr(0, 100),
                                     good.substr(0, good.size() - 20)}) {
    const absl::Status added = AddRpm(Put("a.rpm", content), WhichFiles::kAll, &draft_);
    EXPECT_FALSE(added.ok());
    EXPECT_THAT(std::string(added.message()), HasSubstr("a.rpm"));
    EXPECT_THAT(draft_.items, IsEmpty());
  }
  const std::string source =
      Put("s.rpm", RpmOf({.name = "a", .version = "1", .release = "1", .source = true}, {}));
  EXPECT_THAT(AddRpm(source, WhichFiles::kAll, &draft_),
              HasCode(absl::StatusCode::kFailedPrecondition));
}

TEST_F(PackagesTest, FolderGivesAllPackagesAndNotesTheNewest) {
  Put("pool/main/tool_1.9.deb", DebOf(Control("tool", "1.9"), {{.path = "./t", .content = "old"}}));
  Put("pool/main/tool_1.10.deb",
      DebOf(Control("tool", "1.10"), {{.path = "./t", .content = "new"}}));
  Put("pool/k.rpm", RpmOf({"k", "1", "1"}, {{.path = "./k", .content = "k"}}));
  Put("pool/k.src.rpm", RpmOf({.name = "k", .version = "1", .release = "1", .source = true}, {}));
  Put("pool/Packages.gz", "no package");
  PackageFolderCounts counts;
  ASSERT_THAT(AddPackageFolder(folder_ + "/pool", WhichFiles::kAll, &draft_, &counts), IsOk());
  EXPECT_EQ(counts.packages, 3u);
  EXPECT_THAT(counts.skipped, ElementsAre(HasSubstr("k.src.rpm")));
  EXPECT_EQ(draft_.items.size(), 3u);
  EXPECT_EQ(NoteReplaced(&draft_, std::nullopt), 1u);
  for (const SetItem& item : draft_.items) {
    if (!item.replaced_by.has_value()) continue;
    EXPECT_EQ(ToHex(item.digest), HexOf("old"));
    EXPECT_EQ(item.replaced_by->version, "1.10");
  }
}

TEST_F(PackagesTest, AFolderWithADamagedPackageOrNoneIsAnError) {
  PackageFolderCounts counts;
  EXPECT_THAT(AddPackageFolder(folder_, WhichFiles::kAll, &draft_, &counts),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(AddPackageFolder(folder_ + "/none", WhichFiles::kAll, &draft_, &counts),
              HasCode(absl::StatusCode::kNotFound));
  Put("pool/bad.deb", "hello");
  const absl::Status bad = AddPackageFolder(folder_, WhichFiles::kAll, &draft_, &counts);
  EXPECT_FALSE(bad.ok());
  EXPECT_THAT(std::string(bad.message()), HasSubstr("bad.deb"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference
