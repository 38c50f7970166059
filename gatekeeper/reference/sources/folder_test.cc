#include "gatekeeper/reference/sources/folder.h"

#include <sys/stat.h>

#include <filesystem>
#include <map>

#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using ::testing::ElementsAre;
using testing::HasCode;
using testing::IsOk;
using ::testing::Pair;

class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    root_ = ::testing::TempDir() + "folder_" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ + "/usr/bin");
  }
  ~FolderTest() override { std::filesystem::remove_all(root_); }

  void Put(const std::string& name, absl::string_view content, mode_t mode) {
    ASSERT_THAT(WriteFileAtomically(root_ + name, AsBytes(content), mode), IsOk());
  }
  std::map<std::string, std::string> Digests(WhichFiles which, const std::string& root) {
    SetDraft draft;
    EXPECT_THAT(AddFolder(root, which, &draft), IsOk());
    std::map<std::string, std::string> out;
    for (const SetItem& item : draft.items) out[item.path] = ToHex(item.digest);
    return out;
  }
  static std::string HexOf(absl::string_view content) {
    return crypto::Hash(crypto::HashAlg::kSha256, AsBytes(content)).hex();
  }

  std::string root_;
};

TEST_F(FolderTest, RootStandsForSlash) {
  Put("/usr/bin/tool", "1", 0755);
  Put("/notes with space\n", "2", 0644);
  const std::string large(700'000, 'x');
  Put("/usr/large", large, 0644);
  for (const std::string& root : {root_, root_ + "/", root_ + "/./usr/.."}) {
    EXPECT_THAT(Digests(WhichFiles::kAll, root),
                ElementsAre(Pair("/notes with space\n", HexOf("2")),
                            Pair("/usr/bin/tool", HexOf("1")), Pair("/usr/large", HexOf(large))))
        << root;
  }
}

TEST_F(FolderTest, LinksAreNotFollowedAndOtherFilesNotRead) {
  Put("/usr/bin/tool", "1", 0755);
  std::filesystem::create_symlink("tool", root_ + "/usr/bin/link");
  std::filesystem::create_directory_symlink("/usr", root_ + "/elsewhere");
  ASSERT_EQ(mkfifo((root_ + "/pipe").c_str(), 0644), 0);
  EXPECT_THAT(Digests(WhichFiles::kAll, root_), ElementsAre(Pair("/usr/bin/tool", HexOf("1"))));
}

TEST_F(FolderTest, OnlyExecutablesWhereThatIsAskedFor) {
  Put("/usr/bin/tool", "1", 0755);
  Put("/usr/bin/data", "2", 0644);
  EXPECT_THAT(Digests(WhichFiles::kExecutables, root_),
              ElementsAre(Pair("/usr/bin/tool", HexOf("1"))));
}

TEST_F(FolderTest, AFolderThatIsNoneIsAnError) {
  SetDraft draft;
  EXPECT_THAT(AddFolder(root_ + "/none", WhichFiles::kAll, &draft),
              HasCode(absl::StatusCode::kNotFound));
}

// /proc has no end of files, and none of them is on a disk.
TEST_F(FolderTest, WhatTheKernelMakesUpIsNotEntered) {
  EXPECT_TRUE(Digests(WhichFiles::kAll, "/proc/self/task").empty());
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference
