#include "common/eventlog/decode/signature_list.h"

#include <vector>

#include "common/base/hex.h"
#include "common/bytes/writer.h"
#include "common/eventlog/decode/dbx_history.h"
#include "common/eventlog/decode/known_certificates.h"
#include "common/eventlog/decode/signature_words.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

const Bytes kX509 = *FromHex("a159c0a5e494a74a87b5ab155c2bf072");
const Bytes kSha256 = *FromHex("2616c4c14c509240aca941f936934328");
const Bytes kX509Sha256 = *FromHex("92a4d23bc0967940b420fcf98ef103ed");
const Bytes kOwner(16, 0x11);

// A list whose three sizes are as given, whatever lies in it.
Bytes List(ByteView type, uint32_t size, uint32_t header, uint32_t entry, ByteView rest) {
  bytes::Writer out;
  out.Raw(type).U32Le(size).U32Le(header).U32Le(entry).Raw(rest);
  return out.Finish();
}

Bytes Hashes(size_t count) {
  bytes::Writer out;
  for (size_t i = 0; i < count; ++i) out.Raw(kOwner).Raw(Bytes(32, static_cast<uint8_t>(i)));
  const Bytes entries = out.Finish();
  return List(kSha256, static_cast<uint32_t>(28 + entries.size()), 0, 48, entries);
}

std::vector<SignatureEntry> All(const SignatureLists& lists) {
  std::vector<SignatureEntry> entries;
  for (const SignatureEntry& entry : lists) entries.push_back(entry);
  return entries;
}

Bytes Join(const Bytes& a, const Bytes& b) {
  Bytes joined = a;
  joined.insert(joined.end(), b.begin(), b.end());
  return joined;
}

TEST(SignatureLists, NoBytesAreNoLists) {
  const SignatureLists lists = SignatureLists::Read({});
  EXPECT_TRUE(lists.ok());
  EXPECT_THAT(All(lists), SizeIs(0));
}

TEST(SignatureLists, WalksSeveralListsAndSkipsEmptyOnes) {
  const Bytes bytes = Join(Join(Hashes(2), Hashes(0)), Hashes(1));
  const SignatureLists lists = SignatureLists::Read(bytes);
  ASSERT_TRUE(lists.ok()) << lists.problem();
  EXPECT_EQ(lists.size(), 3u);
  const std::vector<SignatureEntry> entries = All(lists);
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[1].kind, SignatureKind::kSha256);
  EXPECT_EQ(ToHex(entries[1].value), ToHex(Bytes(32, 1)));
  EXPECT_EQ(ToHex(entries[1].owner), ToHex(kOwner));
}

TEST(SignatureLists, PartsTheTimeOfRevocationFromTheHash) {
  bytes::Writer entry;
  entry.Raw(kOwner).Raw(Bytes(32, 7)).Raw(*FromHex("e7070509010203000000000000000000"));
  const Bytes bytes = List(kX509Sha256, 28 + 64, 0, 64, entry.view());
  const std::vector<SignatureEntry> entries = All(SignatureLists::Read(bytes));
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].kind, SignatureKind::kX509Sha256);
  EXPECT_THAT(entries[0].value, SizeIs(32));
  EXPECT_EQ(EfiTimeText(entries[0].revoked_at), "2023-05-09T01:02:03Z");
  EXPECT_EQ(EfiTimeText(Bytes(16, 0)), "");
  EXPECT_EQ(EfiTimeText(Bytes(16, 0xff)), "");
}

struct BadList {
  const char* name;
  Bytes bytes;
  const char* says;
};
void PrintTo(const BadList& row, std::ostream* os) { *os << row.name; }
class BadLists : public ::testing::TestWithParam<BadList> {};

TEST_P(BadLists, GiveAProblemAndNoEntry) {
  const SignatureLists lists = SignatureLists::Read(GetParam().bytes);
  EXPECT_FALSE(lists.ok());
  EXPECT_THAT(lists.problem(), HasSubstr(GetParam().says));
  EXPECT_EQ(lists.size(), 0u);
  EXPECT_THAT(All(lists), SizeIs(0));
}

const Bytes kEntry(48, 1);

INSTANTIATE_TEST_SUITE_P(
    Attack, BadLists,
    ::testing::ValuesIn(std::vector<BadList>{
        {"A40_SignatureSize0", List(kSha256, 76, 0, 0, kEntry), "SignatureSize 0"},
        {"A40_SignatureSize15", List(kSha256, 76, 0, 15, kEntry), "SignatureSize 15"},
        {"A40_SignatureSizeOfTheOwnerAlone", List(kX509, 44, 0, 16, Bytes(16, 1)),
         "SignatureSize 16"},
        {"A40_SignatureSizeOfAnotherKind", List(kSha256, 28 + 36, 0, 36, Bytes(36, 1)),
         "SignatureSize 36 in a list of sha256"},
        {"A40_HeaderBytesAreNoHash", List(kSha256, 28 + 96, 48, 48, Bytes(96, 1)),
         "SignatureHeaderSize 48"},
        {"A40_HeaderPastTheList", List(kOwner, 76, 49, 48, kEntry), "SignatureHeaderSize 49"},
        {"A40_HeaderThatWrapsAround", List(kOwner, 76, 0xffffffff, 48, kEntry),
         "SignatureHeaderSize 4294967295"},
        {"A40_ListSizeLessThanItsHeader", List(kSha256, 27, 0, 48, kEntry), "ListSize 27"},
        {"A40_ListSize0", List(kSha256, 0, 0, 48, kEntry), "ListSize 0"},
        {"A40_ListPastTheEnd", List(kSha256, 77, 0, 48, kEntry), "ListSize 77"},
        {"A40_ListThatWrapsAround", List(kSha256, 0xffffffff, 0, 48, kEntry),
         "ListSize 4294967295"},
        {"A40_HalfAnEntry", List(kSha256, 28 + 24, 0, 48, Bytes(24, 1)), "whole number"},
        {"A40_EndsInTheHeader", Bytes(27, 1), "ends inside"},
        {"A40_GoodListThenABadOne", Join(Hashes(3), List(kSha256, 76, 0, 0, kEntry)),
         "at offset 172"},
        {"A40_StrayByteAtTheEnd", Join(Hashes(1), Bytes{0}), "ends inside"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(SignatureWords, NamesTheKeysOfARealMachine) {
  const Bytes db = testing::CorpusFile("boots/good/efivars/db.bin");
  EXPECT_EQ(SignatureListWords("db", db),
            "2 certificates: CN=Microsoft Windows Production PCA 2011, "
            "CN=Microsoft Corporation UEFI CA 2011, 0 hashes");
}

TEST(SignatureWords, TellsAMalformedListAndAnOddCertificate) {
  EXPECT_THAT(SignatureListWords("db", Bytes(5, 1)), StartsWith("malformed: "));
  bytes::Writer entry;
  entry.Raw(kOwner).Raw(Bytes(9, 0x30));
  EXPECT_EQ(SignatureListWords("db", List(kX509, 28 + 25, 0, 25, entry.view())),
            "1 certificate: certificate that cannot be read, 9 bytes, 0 hashes");
}

TEST(KnownCertificates, AreSortedAndFound) {
  absl::string_view before;
  for (const KnownCertificate& row : AllKnownCertificates()) {
    EXPECT_LT(before, row.sha256);
    before = row.sha256;
    EXPECT_EQ(FindKnownCertificate(*FromHex(row.sha256)), &row);
  }
  EXPECT_EQ(FindKnownCertificate(Bytes(32, 0)), nullptr);
  EXPECT_EQ(FindKnownCertificate({}), nullptr);
}

TEST(KnownCertificates, TestKeysSayWhatTheyAre) {
  EXPECT_TRUE(IsTestSubject("CN=DO NOT TRUST - AMI Test PK"));
  EXPECT_TRUE(IsTestSubject("CN=Ubuntu OVMF Snakeoil Secure Boot Database, O=Snake Oil"));
  EXPECT_FALSE(IsTestSubject("CN=Microsoft Corporation KEK CA 2011"));
}

TEST(DbxHistory, TellsTheNewestPublishedEntry) {
  const Bytes published =
      *FromHex("80b4d96931bf0d02fd91a61e19d14f1da452e66db2408ca8604d411f92659f0a");
  EXPECT_EQ(MonthPublished(published), "2014-08");
  EXPECT_EQ(MonthPublished(Bytes(32, 0)), std::nullopt);
  bytes::Writer entries;
  entries.Raw(kOwner).Raw(published).Raw(kOwner).Raw(Bytes(32, 0));
  const Bytes list = List(kSha256, 28 + 96, 0, 48, entries.view());
  const DbxAge age = AgeOfDbx(SignatureLists::Read(list));
  EXPECT_EQ(age.hashes, 2u);
  EXPECT_EQ(age.published, 1u);
  EXPECT_EQ(age.newest, "2014-08");
  EXPECT_GT(LatestDbxMonth(), "2023-05");
}

}  // namespace
}  // namespace bootgate::eventlog
