#include "common/base/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace bootgate {
namespace {

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    std::string pattern = ::testing::TempDir() + "/files.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  std::string folder_;
};

TEST_F(FilesTest, WritesWithModeAndReadsBack) {
  const std::string path = folder_ + "/key";
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes("one"), 0600).ok());
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes("two"), 0600).ok());
  EXPECT_EQ(*ReadTextFile(path, 10), "two");
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_FALSE(FileExists(path + ".new"));
}

TEST_F(FilesTest, AFolderIsNoFile) {
  EXPECT_EQ(ReadFile(folder_, 10).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FilesTest, BoundIsExact) {
  const std::string path = folder_ + "/ten";
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes("0123456789"), 0644).ok());
  EXPECT_EQ(ReadFile(path, 10)->size(), 10u);
  EXPECT_EQ(ReadFile(path, 9).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(FilesTest, ErrorsNameThePath) {
  const absl::Status status = ReadFile(folder_ + "/absent", 10).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("absent"), absl::string_view::npos);
  EXPECT_TRUE(RemoveFile(folder_ + "/absent").ok());
}

TEST_F(FilesTest, MakesFoldersOnce) {
  EXPECT_TRUE(MakeFolder(folder_ + "/a/b", 0700).ok());
  EXPECT_TRUE(MakeFolder(folder_ + "/a/b", 0700).ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/file", AsBytes("x"), 0644).ok());
  EXPECT_FALSE(MakeFolder(folder_ + "/file", 0700).ok());
}

}  // namespace
}  // namespace bootgate
