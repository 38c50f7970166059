#include "gatekeeper/revocation/crl_numbers.h"

#include <stdlib.h>

#include <filesystem>

#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::revocation {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class CrlNumbersTest : public ::testing::Test {
 protected:
  CrlNumbersTest() {
    std::string pattern = ::testing::TempDir() + "/crl-numbers.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    file_ = folder_ + "/crl-numbers";
  }
  ~CrlNumbersTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_, file_;
};

TEST_F(CrlNumbersTest, RiseWhenTheClockStandsOrGoesBack) {
  CrlNumbers numbers("");
  const uint64_t first = numbers.Next("aa", kNow);
  EXPECT_EQ(first, static_cast<uint64_t>(absl::ToUnixMicros(kNow)));
  EXPECT_EQ(numbers.Next("aa", kNow), first + 1);
  EXPECT_EQ(numbers.Next("aa", kNow - absl::Hours(24)), first + 2);
  EXPECT_GT(numbers.Next("aa", kNow + absl::Seconds(1)), first + 3);
  EXPECT_EQ(numbers.Next("bb", kNow), first) << "each CA has its own";
}

TEST_F(CrlNumbersTest, RiseOverARestartWithTheClockSetBack) {
  uint64_t last = 0;
  {
    CrlNumbers numbers(file_);
    ASSERT_THAT(numbers.Load(), IsOk());
    numbers.Next("bb", kNow);
    last = numbers.Next("aa", kNow);
    ASSERT_THAT(numbers.Save(), IsOk());
  }
  CrlNumbers numbers(file_);
  ASSERT_THAT(numbers.Load(), IsOk());
  EXPECT_EQ(numbers.Next("aa", kNow - absl::Hours(24)), last + 1);
}

TEST_F(CrlNumbersTest, AFileThatIsNotOursIsToldAndReplaced) {
  for (const char* const text : {"aa", "aa x\n", "zz 1\n", "aa 1 2\n", "aa -1\n"}) {
    ASSERT_THAT(WriteFileAtomically(file_, AsBytes(text), 0644), IsOk());
    CrlNumbers numbers(file_);
    EXPECT_THAT(numbers.Load(), HasCode(absl::StatusCode::kDataLoss)) << text;
    numbers.Next("aa", kNow);
    ASSERT_THAT(numbers.Save(), IsOk());
    EXPECT_THAT(CrlNumbers(file_).Load(), IsOk());
  }
}

TEST_F(CrlNumbersTest, NothingGivenNothingWritten) {
  CrlNumbers numbers(file_);
  ASSERT_THAT(numbers.Save(), IsOk());
  EXPECT_FALSE(FileExists(file_));
}

}  // namespace
}  // namespace bootgate::gatekeeper::revocation
