#include "common/ima/digests_at.h"

#include "common/bytes/writer.h"
#include "common/ima/list.h"
#include "common/ima/replay.h"
#include "gtest/gtest.h"

namespace bootgate::ima {
namespace {

using crypto::Digest;
using crypto::HashAlg;

// An entry of the template "ima".
Bytes Entry(ByteView file_digest, absl::string_view path) {
  bytes::Writer out;
  out.U32Le(10).Raw(Bytes(20, 7)).U32Le(3).Raw(AsBytes("ima"));
  out.Raw(file_digest).U32Le(static_cast<uint32_t>(path.size())).Raw(AsBytes(path));
  return out.Finish();
}

Bytes Joined(const Bytes& a, const Bytes& b) {
  Bytes out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

Digest TemplateOf(const Bytes& record) {
  return TemplateDigest(List::Parse(record).entries().RecordAt(0), HashAlg::kSha256);
}

Digest Replayed(ByteView list) {
  return Replay(List::Parse(list), Digest(HashAlg::kSha256), ExtendRule::kBankHash);
}

bool Meets(ByteView list, const Digest& quoted, const DigestsAt& at_hand) {
  const List parsed = List::Parse(list);
  MatchQuery query;
  query.quoted = quoted;
  query.at_least = parsed.entries().size();
  query.at_hand = &at_hand;
  return FindMatch(parsed, query).has_value();
}

const Bytes kOne = Entry(Bytes(20, 1), "/one");
const Bytes kTwo = Entry(Bytes(20, 2), "/two");

TEST(DigestsAt, LeadsToTheSameRegister) {
  const Bytes list = Joined(Joined(kOne, kTwo), kOne);
  DigestsAt at_hand;
  at_hand.Add(kOne.size(), kTwo, TemplateOf(kTwo));
  at_hand.Add(kOne.size() + kTwo.size(), kOne, TemplateOf(kOne));
  EXPECT_TRUE(Meets(list, Replayed(list), at_hand));
  EXPECT_FALSE(Meets(list, Replayed(Joined(kOne, kTwo)), at_hand));
}

// Or the other tests would not tell anything.
TEST(DigestsAt, AreNotComputedAgain) {
  DigestsAt at_hand;
  at_hand.Add(0, kOne, TemplateOf(kTwo));
  EXPECT_TRUE(Meets(kOne, Replayed(kTwo), at_hand));
  EXPECT_FALSE(Meets(kOne, Replayed(kOne), at_hand));
}

// What a host sends in full before a named entry moves it into another's data.
TEST(DigestsAt, CountForWholeEntriesAlone) {
  Bytes swallowing = Entry(Bytes(20, 3), "/three");
  swallowing.resize(swallowing.size() - 10);
  const Bytes list = Joined(swallowing, kOne);
  DigestsAt at_hand;
  at_hand.Add(swallowing.size(), kOne, TemplateOf(kOne));
  EXPECT_TRUE(Meets(list, Replayed(list), at_hand));
  const Bytes shorter = Entry(Bytes(20, 1), "/");
  DigestsAt longer;
  longer.Add(0, kOne, TemplateOf(kTwo));
  EXPECT_TRUE(Meets(shorter, Replayed(shorter), longer));
}

// The first record says how a list is read. A record that alone is "/path" of the template "ima"
// becomes one of the template "x" under listed digests of 32 bytes, with other data.
class AnotherFormat : public testing::Test {
 protected:
  AnotherFormat() {
    bytes::Writer digest;
    digest.Raw(Bytes(5, 9)).U32Le(1).Raw(AsBytes("x")).U32Le(10 + 5).Raw(Bytes(6, 9));
    two_faced_ = Entry(digest.view(), "/path");
    bytes::Writer first;
    first.U32Le(10).Raw(Bytes(32, 0xff)).U32Le(6).Raw(AsBytes("ima-ng")).U32Le(1).U8(0);
    list_ = Joined(first.Finish(), two_faced_);
  }

  Bytes two_faced_, list_;
};

TEST_F(AnotherFormat, IsReadOtherwise) {
  const List list = List::Parse(list_);
  ASSERT_EQ(list.entries().size(), 2u);
  EXPECT_EQ(list.format().listed_digest_size, 32);
  EXPECT_EQ(list.entries().RecordAt(1).template_name, "x");
  EXPECT_EQ(List::Parse(two_faced_).entries().RecordAt(0).template_name, "ima");
  EXPECT_NE(Replayed(list_), Replayed(Joined(list_, two_faced_)));
}

TEST_F(AnotherFormat, HasNoUseOfDigestsAtHand) {
  DigestsAt at_hand;
  at_hand.Add(list_.size() - two_faced_.size(), two_faced_, TemplateOf(two_faced_));
  EXPECT_EQ(at_hand.size(), 1u);
  EXPECT_TRUE(Meets(list_, Replayed(list_), at_hand));
}

TEST(DigestsAt, OtherBanksAndRulesAreComputed) {
  DigestsAt wrong;
  wrong.Add(0, kOne, TemplateOf(kTwo));
  const List list = List::Parse(kOne);
  for (const HashAlg alg : {HashAlg::kSha1, HashAlg::kSha384}) {
    MatchQuery query;
    query.start = Digest(alg);
    query.quoted = Replay(list, Digest(alg), ExtendRule::kBankHash);
    query.at_least = 1;
    query.at_hand = &wrong;
    EXPECT_TRUE(FindMatch(list, query).has_value()) << crypto::Name(alg);
  }
  MatchQuery padded;
  padded.quoted = Replay(list, Digest(HashAlg::kSha256), ExtendRule::kPaddedSha1);
  padded.at_least = 1;
  padded.at_hand = &wrong;
  EXPECT_TRUE(FindMatch(list, padded).has_value());
}

}  // namespace
}  // namespace bootgate::ima
