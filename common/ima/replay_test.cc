#include "common/ima/replay.h"

#include "common/ima/list_builder.h"
#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using crypto::HashAlg;
using registers::Extended;
using testing::ListBuilder;
using testing::NgData;

const crypto::Digest kZero(HashAlg::kSha256);

crypto::Digest Sha256(ByteView bytes) { return crypto::Hash(HashAlg::kSha256, bytes); }

crypto::Digest Padded(const crypto::Digest& sha1) { return ima::Padded(sha1, HashAlg::kSha256); }

const Bytes kThree = ListBuilder().Ng("/a", "1").Ng("/b", "2").Ng("/c", "3").Finish();

crypto::Digest AfterTwo() {
  return Extended(Extended(kZero, Sha256(NgData("/a", "1"))), Sha256(NgData("/b", "2")));
}

TEST(FindMatch, FindsThePositionInsideTheList) {
  const auto match = FindMatch(List::Parse(kThree), kZero, AfterTwo(), 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->entries, 2u);
  EXPECT_EQ(match->rule, ExtendRule::kBankHash);
}

TEST(FindMatch, LooksOnlyFromTheGivenPositionOn) {
  const List list = List::Parse(kThree);
  EXPECT_TRUE(FindMatch(list, kZero, AfterTwo(), 2).has_value());
  EXPECT_FALSE(FindMatch(list, kZero, AfterTwo(), 3).has_value());
}

TEST(FindMatch, StartAlreadyAtTheQuotedValueMatchesNoEntries) {
  const auto match = FindMatch(List::Parse(kThree), kZero, kZero, 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->entries, 0u);
  EXPECT_FALSE(FindMatch(List::Parse(kThree), kZero, kZero, 1).has_value());
}

TEST(FindMatch, CarriesOnFromAnEarlierMatch) {
  const Bytes rest = ListBuilder().Ng("/c", "3").Finish();
  const crypto::Digest quoted = Extended(AfterTwo(), Sha256(NgData("/c", "3")));
  EXPECT_EQ(FindMatch(List::Parse(rest), AfterTwo(), quoted, 0)->entries, 1u);
}

TEST(FindMatch, AcceptsPaddedSha1OfOlderKernels) {
  const Bytes data = NgData("/a", "1");
  const crypto::Digest quoted = Extended(kZero, Padded(crypto::Hash(HashAlg::kSha1, data)));
  const Bytes bytes = ListBuilder().Entry("ima-ng", data).Finish();
  const auto match = FindMatch(List::Parse(bytes), kZero, quoted, 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->rule, ExtendRule::kPaddedSha1);
}

TEST(FindMatch, DoesNotMixTheRules) {
  const Bytes a = NgData("/a", "1");
  const Bytes b = NgData("/b", "2");
  const crypto::Digest quoted =
      Extended(Extended(kZero, Sha256(a)), Padded(crypto::Hash(HashAlg::kSha1, b)));
  const Bytes bytes = ListBuilder().Entry("ima-ng", a).Entry("ima-ng", b).Finish();
  EXPECT_FALSE(FindMatch(List::Parse(bytes), kZero, quoted, 0).has_value());
}

TEST(FindMatch, OtherRegistersEntriesDoNotExtend) {
  const Bytes bytes = ListBuilder().Ng("/a", "1").Ng("/x", "9", 11).Ng("/b", "2").Finish();
  EXPECT_EQ(FindMatch(List::Parse(bytes), kZero, AfterTwo(), 0)->entries, 3u);
  const crypto::Digest other = Extended(kZero, Sha256(NgData("/x", "9")));
  EXPECT_EQ(FindMatch(List::Parse(bytes), kZero, other, 0, 11)->entries, 2u);
}

TEST(FindMatch, NeedsOneAlgorithm) {
  EXPECT_FALSE(
      FindMatch(List::Parse(kThree), kZero, crypto::Digest(HashAlg::kSha1), 0).has_value());
}

TEST(ExtendDigest, ViolationExtendsOnes) {
  const Bytes bytes = ListBuilder().Violation("/x").Finish();
  const List list = List::Parse(bytes);
  for (const HashAlg alg : crypto::kAllHashAlgs) {
    for (const ExtendRule rule : {ExtendRule::kBankHash, ExtendRule::kPaddedSha1}) {
      EXPECT_EQ(ExtendDigest(list.entries()[0], alg, rule), crypto::Digest::Ones(alg));
    }
  }
}

TEST(ExtendDigest, ViolationOfOldKernelsIsTwentyOnesInEveryBank) {
  const Bytes bytes = ListBuilder().Violation("/x").Finish();
  const Record violation = List::Parse(bytes).entries().RecordAt(0);
  for (const HashAlg alg : crypto::kAllHashAlgs) {
    const crypto::Digest digest = ExtendDigest(violation, alg, ExtendRule::kPaddedAll);
    for (size_t i = 0; i < digest.size(); ++i) EXPECT_EQ(digest.view()[i], i < 20 ? 0xff : 0);
  }
}

TEST(FindMatch, AcceptsViolationsOfOldKernels) {
  const Bytes bytes = ListBuilder().Ng("/a", "1").Violation("/x").Finish();
  const List list = List::Parse(bytes);
  const crypto::Digest first = crypto::Hash(HashAlg::kSha1, NgData("/a", "1"));
  const crypto::Digest quoted =
      Extended(Extended(kZero, Padded(first)), Padded(crypto::Digest::Ones(HashAlg::kSha1)));
  const auto match = FindMatch(list, kZero, quoted, 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->rule, ExtendRule::kPaddedAll);
  EXPECT_EQ(Replay(list, kZero, ExtendRule::kPaddedAll), quoted);
}

TEST(FindMatch, CarriesOnInsideAList) {
  const List list = List::Parse(kThree);
  const crypto::Digest quoted = Replay(list, kZero, ExtendRule::kBankHash);
  const auto match = FindMatch(list, {.start = AfterTwo(), .quoted = quoted, .first = 2});
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->entries, 3u);
  EXPECT_EQ(match->value, quoted);
  EXPECT_FALSE(FindMatch(list, {.start = AfterTwo(), .quoted = quoted, .first = 1}));
  EXPECT_EQ(FindMatch(list, {.start = quoted, .quoted = quoted, .first = 3})->entries, 3u);
  EXPECT_EQ(FindMatch(list, {.start = quoted, .quoted = quoted, .first = 9})->entries, 3u);
}

TEST(FindMatch, ValueOfTheMatchStartsTheNext) {
  const Bytes two = ListBuilder().Ng("/a", "1").Ng("/b", "2").Finish();
  const Bytes rest = ListBuilder().Ng("/c", "3").Finish();
  const crypto::Digest end = Replay(List::Parse(kThree), kZero, ExtendRule::kBankHash);
  const auto first = FindMatch(List::Parse(two), {.start = kZero, .quoted = AfterTwo()});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(FindMatch(List::Parse(rest), {.start = first->value, .quoted = end})->entries, 1u);
}

TEST(Replay, PlacesOfKnownEntriesLeadWhereTheirListDoes) {
  const Bytes bytes = ListBuilder()
                          .Ng("/a", "1")
                          .Ng("/x", "9", 11)
                          .Legacy(Bytes(20, 1), Bytes(20, 2), "/y")
                          .Finish();
  const List list = List::Parse(bytes);
  KnownDigests known;
  std::vector<KnownDigests::Place> places;
  for (const Entry& entry : list.entries()) {
    known.Add(entry);
    places.push_back(known.Find(entry.bytes));
  }
  for (const HashAlg alg : {HashAlg::kSha1, HashAlg::kSha256}) {
    const crypto::Digest zero(alg), whole = Replay(list, zero, ExtendRule::kBankHash);
    EXPECT_EQ(Replay(known, places, zero), whole) << crypto::Name(alg);
    const auto first = Replay(known, std::span(places).first(1), zero);
    EXPECT_EQ(Replay(known, std::span(places).subspan(1), *first), whole) << "in pieces";
    EXPECT_EQ(Replay(known, places, zero, 11), Replay(list, zero, ExtendRule::kBankHash, 11));
  }
  EXPECT_EQ(Replay(known, places, crypto::Digest(HashAlg::kSha384)), std::nullopt) << "not kept";
  places[1] = KnownDigests::kNone;
  EXPECT_EQ(Replay(known, places, kZero), std::nullopt);
}

TEST(ListedDigestHolds, InListsOfEveryBank) {
  for (const HashAlg alg : crypto::kAllHashAlgs) {
    for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
      const Bytes data = NgData("/a", "1", order);
      const Bytes bytes = ListBuilder(order)
                              .Listed(10, crypto::Hash(alg, data).view(), "ima-ng", data)
                              .Listed(10, Bytes(crypto::DigestSize(alg), 0), "ima-ng", data)
                              .Listed(10, Bytes(crypto::DigestSize(alg), 7), "ima-ng", data)
                              .Finish();
      const List list = List::Parse(bytes);
      ASSERT_TRUE(list.defects().empty()) << crypto::Name(alg);
      ASSERT_EQ(list.entries().size(), 3u);
      EXPECT_EQ(list.format().order, order);
      EXPECT_TRUE(ListedDigestHolds(list.entries()[0]));
      EXPECT_TRUE(list.entries()[1].violation);
      EXPECT_FALSE(ListedDigestHolds(list.entries()[2]));
      EXPECT_EQ(list.entries()[2].path, "/a");
    }
  }
}

TEST(ExtendDigest, OldestTemplateIsHashedWithItsNameFilledUp) {
  const Bytes digest(20, 0xaa);
  Bytes hashed = digest;
  const absl::string_view path = "/sbin/init";
  hashed.insert(hashed.end(), path.begin(), path.end());
  hashed.resize(20 + 256, 0);
  const crypto::Digest expected = crypto::Hash(HashAlg::kSha1, hashed);
  const Bytes bytes = ListBuilder().Legacy(expected.view(), digest, path).Finish();
  const List list = List::Parse(bytes);
  EXPECT_EQ(ExtendDigest(list.entries()[0], HashAlg::kSha1, ExtendRule::kBankHash), expected);
  EXPECT_TRUE(ListedDigestHolds(list.entries()[0]));
}

// The replay takes the data, the listed digest says something else: nobody may believe the listing.
TEST(Attack, A50_OverwrittenListedDigestDoesNotHold) {
  const Bytes data = NgData("/usr/bin/evil", "evil");
  const Bytes bytes = ListBuilder().Listed(10, Bytes(20, 0xff), "ima-ng", data).Finish();
  const List list = List::Parse(bytes);
  EXPECT_FALSE(list.entries()[0].violation);
  EXPECT_FALSE(ListedDigestHolds(list.entries()[0]));
  EXPECT_TRUE(FindMatch(list, kZero, Extended(kZero, Sha256(data)), 1).has_value());
}

TEST(BootAggregate, NeedsEveryRegister) {
  registers::RegisterBank bank(HashAlg::kSha256);
  for (uint32_t index = 0; index < 10; ++index) {
    EXPECT_EQ(BootAggregate(bank), std::nullopt) << index;
    bank.Set(index, Sha256(Bytes(1, static_cast<uint8_t>(index))));
  }
  EXPECT_TRUE(BootAggregate(bank).has_value());
}

TEST(BootAggregates, OlderKernelsTookEightRegistersInEveryBank) {
  for (const HashAlg alg : crypto::kAllHashAlgs) {
    registers::RegisterBank bank(alg);
    Bytes eight;
    for (uint32_t index = 0; index < 10; ++index) {
      const crypto::Digest value = crypto::Hash(alg, Bytes(1, static_cast<uint8_t>(index)));
      bank.Set(index, value);
      if (index < 8) eight.insert(eight.end(), value.view().begin(), value.view().end());
    }
    const std::vector<BootAggregateValue> values = BootAggregates(bank);
    ASSERT_EQ(values.size(), alg == HashAlg::kSha1 ? 1u : 2u);
    EXPECT_EQ(values.front().digest, BootAggregate(bank));
    EXPECT_EQ(values.back().digest, crypto::Hash(alg, eight));
    EXPECT_EQ(values.back().registers, 8u);
  }
}

TEST(BootAggregate, Sha1TakesEightRegistersOthersTen) {
  for (const HashAlg alg : crypto::kAllHashAlgs) {
    registers::RegisterBank bank(alg);
    Bytes values;
    for (uint32_t index = 0; index < 10; ++index) {
      const crypto::Digest value = crypto::Hash(alg, Bytes(1, static_cast<uint8_t>(index)));
      bank.Set(index, value);
      if (alg == HashAlg::kSha1 && index >= 8) continue;
      values.insert(values.end(), value.view().begin(), value.view().end());
    }
    EXPECT_EQ(BootAggregate(bank), crypto::Hash(alg, values)) << crypto::Name(alg);
  }
}

}  // namespace
}  // namespace bootgate::ima
