#include "common/ima/allow_list.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/ima/list_builder.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using ::testing::ElementsAre;
using testing::HasCode;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::ListBuilder;

crypto::Digest Of(absl::string_view content) {
  return crypto::Hash(crypto::HashAlg::kSha256, AsBytes(content));
}

std::string Line(absl::string_view content, absl::string_view path) {
  return absl::StrCat(Of(content).hex(), "  ", path, "\n");
}

TEST(AllowList, ListsPathsWithTheirDigests) {
  BG_ASSERT_OK_AND_ASSIGN(
      const AllowList list,
      AllowList::FromSha256Sums(Line("1", "/a") + Line("2", "/a") + Line("3", "/b c")));
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(list.Find("/a", Of("1").view()), Listing::kListed);
  EXPECT_EQ(list.Find("/a", Of("2").view()), Listing::kListed);
  EXPECT_EQ(list.Find("/a", Of("3").view()), Listing::kOtherDigest);
  EXPECT_EQ(list.Find("/b c", Of("3").view()), Listing::kListed);
  EXPECT_EQ(list.Find("/b", Of("3").view()), Listing::kUnlisted);
}

TEST(AllowList, EmptyListKnowsNothing) {
  BG_ASSERT_OK_AND_ASSIGN(const AllowList list, AllowList::FromSha256Sums(""));
  EXPECT_EQ(list.Find("/a", Of("1").view()), Listing::kUnlisted);
  EXPECT_EQ(AllowList().Find("/a", Of("1").view()), Listing::kUnlisted);
}

TEST(AllowList, ReadsEscapedPaths) {
  BG_ASSERT_OK_AND_ASSIGN(const AllowList list,
                          AllowList::FromSha256Sums("\\" + Line("1", "/a\\nb\\\\c")));
  EXPECT_EQ(list.Find("/a\nb\\c", Of("1").view()), Listing::kListed);
}

TEST(AllowList, RefusesLinesThatAreNone) {
  for (const std::string& bad :
       {std::string("hello"), Of("1").hex(), Of("1").hex() + "  ", Of("1").hex() + " /one-space",
        std::string(64, 'g') + "  /a", "\\" + Line("1", "/a\\x"),
        Line("1", std::string(kMaxAllowPath + 1, 'a'))}) {
    const auto list = AllowList::FromSha256Sums(Line("0", "/good") + bad);
    EXPECT_THAT(list, HasCode(absl::StatusCode::kInvalidArgument)) << bad;
    EXPECT_THAT(std::string(list.status().message()), HasSubstr("line 2"));
  }
}

TEST(AllowList, FindsManyAtOnceAsOneByOne) {
  std::string lines;
  ListBuilder builder;
  for (int i = 0; i < 1000; ++i) {
    const std::string path = absl::StrCat("/usr/bin/", i);
    if (i % 3 != 0) lines += Line(absl::StrCat(i), path);
    builder.Ng(path, i % 5 == 0 ? "changed" : absl::StrCat(i));
  }
  BG_ASSERT_OK_AND_ASSIGN(const AllowList allow, AllowList::FromSha256Sums(lines));
  const Bytes bytes = builder.Finish();
  const List list = List::Parse(bytes);
  std::vector<Listing> found(list.entries().size());
  allow.FindAll(list.entries(), found);
  for (size_t i = 0; i < found.size(); ++i) {
    const Listing expected = i % 3 == 0   ? Listing::kUnlisted
                             : i % 5 == 0 ? Listing::kOtherDigest
                                          : Listing::kListed;
    ASSERT_EQ(found[i], expected) << i;
    ASSERT_EQ(allow.Find(list.entries()[i].path, list.entries()[i].file_digest), expected) << i;
  }
}

TEST(Attack, A50_ViolationIsListedByNoRule) {
  BG_ASSERT_OK_AND_ASSIGN(const AllowList allow,
                          AllowList::FromSha256Sums(Line("what was there", "/usr/bin/x")));
  const Bytes bytes =
      ListBuilder().Violation("/usr/bin/x").Ng("/usr/bin/x", "what was there").Finish();
  const List list = List::Parse(bytes);
  std::vector<Listing> found(2);
  allow.FindAll(list.entries(), found);
  EXPECT_THAT(found, ElementsAre(Listing::kUnlisted, Listing::kListed));
}

TEST(Attack, A59_DigestOfAnotherAlgorithmIsNotListed) {
  BG_ASSERT_OK_AND_ASSIGN(const AllowList allow, AllowList::FromSha256Sums(Line("1", "/a")));
  bytes::Writer digest;
  digest.Raw(AsBytes("sm3_256:")).U8(0).Raw(Of("1").view());
  bytes::Writer data;
  testing::AddField(data, digest.view());
  testing::AddField(data, testing::PathField("/a"));
  const Bytes bytes = ListBuilder().Entry("ima-ng", data.view()).Finish();
  const List list = List::Parse(bytes);
  std::vector<Listing> found(1);
  allow.FindAll(list.entries(), found);
  EXPECT_THAT(found, ElementsAre(Listing::kOtherDigest));
}

}  // namespace
}  // namespace bootgate::ima
