#include "common/ima/known_digests.h"

#include "absl/strings/str_cat.h"
#include "common/ima/list.h"
#include "common/ima/list_builder.h"
#include "common/ima/template_digest.h"
#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using crypto::HashAlg;
using testing::ListBuilder;

Bytes Files(int count) {
  ListBuilder builder;
  for (int i = 0; i < count; ++i) builder.Ng(absl::StrCat("/usr/bin/", i), absl::StrCat(i));
  return builder.Finish();
}

TEST(KnownDigests, FindsWhatWasAddedByItsBytesAndByItsName) {
  const Bytes bytes = Files(5000);
  const List list = List::Parse(bytes);
  KnownDigests known;
  for (const Entry& entry : list.entries()) EXPECT_TRUE(known.Add(entry));
  for (const Entry& entry : list.entries()) EXPECT_TRUE(known.Add(entry));
  EXPECT_EQ(known.size(), list.entries().size());
  for (const Entry& entry : list.entries()) {
    const KnownDigests::Place place = known.Find(entry.bytes);
    ASSERT_NE(place, KnownDigests::kNone) << entry.number;
    EXPECT_EQ(known.FindName(RecordName(entry.bytes).view()), place);
    EXPECT_TRUE(SameBytes(known.RecordBytes(place), entry.bytes));
    for (const HashAlg alg : {HashAlg::kSha1, HashAlg::kSha256}) {
      EXPECT_EQ(known.TemplateDigest(place, alg), TemplateDigest(entry, alg));
    }
    EXPECT_EQ(known.TemplateDigest(place, HashAlg::kSha384), std::nullopt);
  }
}

TEST(KnownDigests, FindsManyNamesAtOnce) {
  const Bytes bytes = Files(100);
  const List list = List::Parse(bytes);
  KnownDigests known;
  Bytes names;
  for (const Entry& entry : list.entries()) {
    if (entry.number % 3 != 0) known.Add(entry);
    const crypto::Digest name = RecordName(entry.bytes);
    names.insert(names.end(), name.view().begin(), name.view().end());
  }
  std::vector<KnownDigests::Place> places(list.entries().size());
  known.FindNames(names, places);
  for (size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(places[i], known.Find(list.entries()[i].bytes)) << i;
    EXPECT_EQ(places[i] == KnownDigests::kNone, i % 3 == 0) << i;
  }
}

TEST(KnownDigests, OneOtherByteIsAnotherEntry) {
  Bytes bytes = Files(1);
  const Bytes good = bytes;
  KnownDigests known;
  known.Add(List::Parse(good).entries().RecordAt(0));
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 1;
    EXPECT_EQ(known.Find(bytes), KnownDigests::kNone) << i;
    bytes[i] ^= 1;
  }
  EXPECT_EQ(known.FindName(RecordName(Bytes{1}).view()), KnownDigests::kNone);
}

TEST(KnownDigests, IsBoundedByRecordsAndByBytes) {
  const Bytes bytes = Files(1000);
  const List list = List::Parse(bytes);
  for (const KnownDigests::Options& options :
       {KnownDigests::Options{.max_records = 10}, KnownDigests::Options{.max_bytes = 2500}}) {
    KnownDigests known(options);
    for (const Entry& entry : list.entries()) {
      ASSERT_TRUE(known.Add(entry));
      ASSERT_NE(known.Find(entry.bytes), KnownDigests::kNone);
      ASSERT_LE(known.size(), 15u);
      ASSERT_LE(known.memory_bytes(), 64u << 10);
    }
  }
  KnownDigests none({.max_records = 0});
  EXPECT_FALSE(none.Add(list.entries().RecordAt(0)));
}

TEST(KnownDigests, KeepsNoViolationAndNothingHuge) {
  const Bytes bytes =
      ListBuilder().Violation("/x").Ng(std::string(kMaxKnownRecord, 'a'), "1").Finish();
  const List list = List::Parse(bytes);
  KnownDigests known;
  EXPECT_FALSE(known.Add(list.entries().RecordAt(0)));
  EXPECT_FALSE(known.Add(list.entries().RecordAt(1)));
  EXPECT_EQ(known.size(), 0u);
}

}  // namespace
}  // namespace bootgate::ima
