#include "common/ima/list.h"

#include <functional>

#include "common/base/hex.h"
#include "common/ima/list_builder.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using crypto::HashAlg;
using testing::AddField;
using testing::DigestField;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ListBuilder;
using testing::NgData;
using testing::PathField;
using ::testing::SizeIs;

std::vector<std::string> Codes(const List& list) {
  std::vector<std::string> codes;
  for (const Defect& defect : list.defects()) codes.emplace_back(Code(defect.reason));
  return codes;
}

TEST(ListParse, EmptyInputIsAnEmptyList) {
  const List list = List::Parse({});
  EXPECT_THAT(list.entries(), IsEmpty());
  EXPECT_THAT(list.defects(), IsEmpty());
}

TEST(ListParse, ReadsTheFieldsOfImaNg) {
  const Bytes bytes = ListBuilder().Ng("/usr/bin/true", "content").Finish();
  const List list = List::Parse(bytes);
  ASSERT_THAT(list.entries(), SizeIs(1));
  const Entry& entry = list.entries()[0];
  EXPECT_EQ(entry.template_kind, Template::kImaNg);
  EXPECT_EQ(entry.template_name, "ima-ng");
  EXPECT_EQ(entry.register_index, 10u);
  EXPECT_EQ(entry.digest_name, "sha256");
  EXPECT_EQ(entry.path, "/usr/bin/true");
  EXPECT_TRUE(
      SameBytes(entry.file_digest, crypto::Hash(HashAlg::kSha256, AsBytes("content")).view()));
  EXPECT_FALSE(entry.violation);
}

TEST(ListParse, ReadsSignatureAndBuffer) {
  for (const char* const name : {"ima-sig", "ima-buf"}) {
    bytes::Writer data;
    data.Raw(NgData("/lib/x.ko", "module"));
    AddField(data, AsBytes("more"));
    const Bytes bytes = ListBuilder().Entry(name, data.view()).Finish();
    const List list = List::Parse(bytes);
    ASSERT_THAT(list.defects(), IsEmpty());
    const Entry& entry = list.entries()[0];
    EXPECT_EQ(entry.path, "/lib/x.ko");
    EXPECT_EQ(AsText(entry.template_kind == Template::kImaSig ? entry.signature : entry.buffer),
              "more");
  }
}

TEST(ListParse, UnknownTemplateIsKeptRaw) {
  const Bytes bytes = ListBuilder().Entry("ima-ngv7", AsBytes("whatever")).Ng("/a", "a").Finish();
  const List list = List::Parse(bytes);
  EXPECT_THAT(list.defects(), IsEmpty());
  ASSERT_THAT(list.entries(), SizeIs(2));
  EXPECT_EQ(list.entries()[0].template_kind, Template::kOther);
  EXPECT_EQ(AsText(list.entries()[0].template_data), "whatever");
  EXPECT_EQ(list.entries()[0].path, "");
  EXPECT_EQ(list.entries()[1].path, "/a");
}

TEST(ListParse, FormatOfNothingReadableIsTheUsual) {
  for (const Bytes& bytes : {Bytes{}, Bytes(27, 0), Bytes(400, 0), Bytes(400, 0xff)}) {
    EXPECT_EQ(List::Parse(bytes).format(), Format{});
  }
}

TEST(ListParse, EntriesCanBeWalkedLikeAContainer) {
  const Bytes bytes = ListBuilder().Ng("/a", "1").Ng("/b", "2").Finish();
  const List list = List::Parse(bytes);
  std::string paths;
  for (const Entry& entry : list.entries()) paths += std::string(entry.path);
  EXPECT_EQ(paths, "/a/b");
  EXPECT_EQ(list.entries().front().number, 0u);
  EXPECT_EQ(list.entries().back().number, 1u);
  EXPECT_EQ(list.entries().RecordAt(1).offset, list.entries()[1].offset);
}

TEST(ListParse, ReadsTheOldestTemplate) {
  const Bytes digest(20, 0xaa);
  const Bytes bytes = ListBuilder().Legacy(digest, digest, "/sbin/init").Ng("/a", "a").Finish();
  const List list = List::Parse(bytes);
  ASSERT_THAT(list.entries(), SizeIs(2));
  EXPECT_EQ(list.entries()[0].template_kind, Template::kIma);
  EXPECT_EQ(list.entries()[0].digest_name, "sha1");
  EXPECT_EQ(list.entries()[0].path, "/sbin/init");
}

TEST(ListParse, ZeroDigestIsAViolation) {
  const Bytes bytes = ListBuilder().Violation("/var/log/x").Finish();
  EXPECT_TRUE(List::Parse(bytes).entries()[0].violation);
}

TEST(Attack, A51_PathWithNewlinesIsOneEntry) {
  const absl::string_view path = "a\n10 0000 ima-ng sha256:00 /usr/bin/x";
  const Bytes bytes = ListBuilder().Ng(path, "evil").Finish();
  const List list = List::Parse(bytes);
  ASSERT_THAT(list.entries(), SizeIs(1));
  EXPECT_EQ(list.entries()[0].path, path);
}

// Cut anywhere: the entries before the cut stay, and only a cut between entries goes unnoticed.
TEST(ListParse, CutAnywhereKeepsWhatWasBefore) {
  const Bytes whole = testing::CorpusFile("ima/two-registers.bin");
  const List all = List::Parse(whole);
  for (size_t size = 1; size < whole.size(); ++size) {
    const List list = List::Parse(ByteView(whole).first(size));
    const size_t complete = list.entries().size();
    ASSERT_LT(complete, all.entries().size());
    if (all.entries()[complete].offset == size) {
      EXPECT_THAT(list.defects(), IsEmpty()) << size;
    } else {
      ASSERT_THAT(Codes(list), ElementsAre("IMA_TRUNCATED")) << size;
      EXPECT_EQ(list.defects()[0].offset, all.entries()[complete].offset);
    }
  }
}

struct FieldRow {
  const char* name;
  const char* template_name;
  std::function<void(bytes::Writer&)> fill;
};
void PrintTo(const FieldRow& row, std::ostream* os) { *os << row.name; }
class A52Template : public ::testing::TestWithParam<FieldRow> {};

TEST_P(A52Template, IsToldWithItsEntryAndHasNoFields) {
  bytes::Writer data;
  GetParam().fill(data);
  const Bytes bytes = ListBuilder()
                          .Ng("/before", "x")
                          .Entry(GetParam().template_name, data.view())
                          .Ng("/after", "x")
                          .Finish();
  const List list = List::Parse(bytes);
  ASSERT_THAT(Codes(list), ElementsAre("IMA_TEMPLATE"));
  EXPECT_EQ(list.defects()[0].entry, 1u);
  ASSERT_THAT(list.entries(), SizeIs(3));
  const Entry& entry = list.entries()[1];
  EXPECT_EQ(entry.path, "");
  EXPECT_THAT(entry.file_digest, IsEmpty());
  EXPECT_TRUE(SameBytes(entry.template_data, data.view()));
  EXPECT_EQ(list.entries()[2].path, "/after");
}

const Bytes kGoodDigest = DigestField(HashAlg::kSha256, "x");
const Bytes kGoodPath = PathField("/x");

Bytes DigestOfSize(absl::string_view before, size_t size) {
  bytes::Writer out;
  out.Raw(AsBytes(before)).Raw(Bytes(size, 1));
  return out.Finish();
}

void DigestAndPath(bytes::Writer& out, ByteView digest, ByteView path) {
  AddField(out, digest);
  AddField(out, path);
}

INSTANTIATE_TEST_SUITE_P(
    Attack, A52Template,
    ::testing::ValuesIn(std::vector<FieldRow>{
        {"NoData", "ima-ng", [](bytes::Writer&) {}},
        {"DigestFieldLongerThanTheData", "ima-ng",
         [](bytes::Writer& out) { out.U32Le(0xffffffff).Raw(kGoodDigest); }},
        {"NoPath", "ima-ng", [](bytes::Writer& out) { AddField(out, kGoodDigest); }},
        {"BytesAfterThePath", "ima-ng",
         [](bytes::Writer& out) {
           DigestAndPath(out, kGoodDigest, kGoodPath);
           out.U8(0);
         }},
        {"DigestWithoutColon", "ima-ng",
         [](bytes::Writer& out) { DigestAndPath(out, DigestOfSize("sha256", 32), kGoodPath); }},
        {"DigestWithoutNul", "ima-ng",
         [](bytes::Writer& out) { DigestAndPath(out, DigestOfSize("sha256:", 32), kGoodPath); }},
        {"DigestNameAlone", "ima-ng",
         [](bytes::Writer& out) { DigestAndPath(out, DigestOfSize("sha256:", 0), kGoodPath); }},
        {"DigestWithoutName", "ima-ng",
         [](bytes::Writer& out) {
           DigestAndPath(out, DigestOfSize(absl::string_view(":\0", 2), 20), kGoodPath);
         }},
        {"A59_Sha256OfTwentyBytes", "ima-ng",
         [](bytes::Writer& out) {
           DigestAndPath(out, DigestOfSize(absl::string_view("sha256:\0", 8), 20), kGoodPath);
         }},
        {"UnknownDigestOfNoBytes", "ima-ng",
         [](bytes::Writer& out) {
           DigestAndPath(out, DigestOfSize(absl::string_view("md5:\0", 5), 0), kGoodPath);
         }},
        {"PathWithoutNul", "ima-ng",
         [](bytes::Writer& out) { DigestAndPath(out, kGoodDigest, AsBytes("/x")); }},
        {"PathWithNulInside", "ima-ng",
         [](bytes::Writer& out) {
           DigestAndPath(out, kGoodDigest, PathField(absl::string_view("/x\0y", 4)));
         }},
        {"EmptyPathField", "ima-ng",
         [](bytes::Writer& out) { DigestAndPath(out, kGoodDigest, {}); }},
        {"NoSignatureField", "ima-sig",
         [](bytes::Writer& out) { DigestAndPath(out, kGoodDigest, kGoodPath); }},
        {"SignatureLongerThanTheData", "ima-sig",
         [](bytes::Writer& out) {
           DigestAndPath(out, kGoodDigest, kGoodPath);
           out.U32Le(5).U8(1);
         }},
        {"NoBufferField", "ima-buf",
         [](bytes::Writer& out) { DigestAndPath(out, kGoodDigest, kGoodPath); }},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Attack, A52_LegacyNameLongerThanTheKernelsIsTold) {
  const Bytes digest(20, 0xaa);
  const Bytes bytes = ListBuilder().Legacy(digest, digest, std::string(256, 'a')).Finish();
  EXPECT_THAT(Codes(List::Parse(bytes)), ElementsAre("IMA_TEMPLATE"));
}

TEST(Attack, A42_RegisterOutOfRangeIsTold) {
  for (const uint32_t index : {24u, 32u, 0xffffffffu}) {
    const Bytes bytes = ListBuilder().Ng("/x", "x", index).Finish();
    EXPECT_THAT(Codes(List::Parse(bytes)), ElementsAre("IMA_TEMPLATE"));
  }
}

TEST(Attack, A60_SizesAboveTheLimitsStopTheReading) {
  bytes::Writer name;
  name.U32Le(10).Raw(Bytes(20, 1)).U32Le(0xffffffff).Raw(Bytes(100, 'a'));
  EXPECT_THAT(Codes(List::Parse(name.view())), ElementsAre("IMA_LIMIT"));
  bytes::Writer data;
  data.U32Le(10).Raw(Bytes(20, 1)).U32Le(6).Raw(AsBytes("ima-ng")).U32Le(0xffffffff);
  EXPECT_THAT(Codes(List::Parse(data.view())), ElementsAre("IMA_LIMIT"));
  bytes::Writer legacy;
  legacy.U32Le(10).Raw(Bytes(20, 1)).U32Le(3).Raw(AsBytes("ima")).Raw(Bytes(20, 1)).U32Le(~0u);
  EXPECT_THAT(Codes(List::Parse(legacy.view())), ElementsAre("IMA_LIMIT"));
}

TEST(Attack, A60_EntriesTakeEightBytesEachAtMost) {
  constexpr size_t kMostExtra = size_t{64} << 20;
  constexpr size_t kMostEach = 8;  // 4, and what the vector has in reserve
  static_assert(kMaxEntries * kMostEach <= kMostExtra);
  constexpr size_t kEntries = 10'000;
  Bytes bytes;
  const Bytes entry = ListBuilder().Ng("/usr/bin/something", "content").Finish();
  for (size_t i = 0; i < kEntries; ++i) bytes.insert(bytes.end(), entry.begin(), entry.end());
  const List list = List::Parse(bytes);
  EXPECT_THAT(list.defects(), IsEmpty());
  ASSERT_THAT(list.entries(), SizeIs(kEntries));
  EXPECT_LE(list.entries().memory_bytes(), kEntries * kMostEach);
  EXPECT_EQ(list.entries().back().path, "/usr/bin/something");
}

TEST(Attack, A60_LimitsAreTheCallers) {
  const Bytes bytes = ListBuilder().Ng("/a", "1").Ng("/b", "2").Finish();
  for (const Limits& limits : {Limits{.list_bytes = bytes.size() - 1}, Limits{.entries = 1},
                               Limits{.template_data = 40}}) {
    const List list = List::Parse(bytes, limits);
    EXPECT_THAT(Codes(list), ElementsAre("IMA_LIMIT"));
    EXPECT_LE(list.entries().size(), 1u);
  }
  EXPECT_THAT(List::Parse(bytes, {.list_bytes = bytes.size(), .entries = 2}).defects(), IsEmpty());
}

TEST(Attack, A60_EntriesAndDefectsAreBounded) {
  constexpr size_t kMost = 1000;
  EXPECT_EQ(Limits{}.entries, kMaxEntries);
  bytes::Writer entry;
  entry.U32Le(10).Raw(Bytes(20, 1)).U32Le(6).Raw(AsBytes("ima-ng")).U32Le(0);
  Bytes bytes;
  for (size_t i = 0; i < kMost + 3; ++i) {
    bytes.insert(bytes.end(), entry.view().begin(), entry.view().end());
  }
  const List list = List::Parse(bytes, {.entries = kMost});
  EXPECT_THAT(list.entries(), SizeIs(kMost));
  EXPECT_THAT(list.defects(), SizeIs(kMaxDefects));
  EXPECT_THAT(list.defects().back().text, HasSubstr("further defects"));
}

}  // namespace
}  // namespace bootgate::ima
