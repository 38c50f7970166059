#include "common/ima/fields.h"

#include "absl/strings/str_cat.h"
#include "common/ima/list.h"
#include "common/ima/list_builder.h"
#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using crypto::HashAlg;
using testing::AddField;
using testing::AddU32;
using testing::DigestField;
using ::testing::IsEmpty;
using testing::ListBuilder;
using testing::PathField;
using ::testing::SizeIs;

Bytes TypedDigest(absl::string_view type, absl::string_view content) {
  bytes::Writer out;
  out.Raw(AsBytes(type)).U8(':').Raw(DigestField(HashAlg::kSha256, content));
  return out.Finish();
}

Bytes U32(uint32_t value, ByteOrder order) {
  bytes::Writer out;
  AddU32(out, value, order);
  return out.Finish();
}

Bytes U16(uint16_t value, ByteOrder order) {
  bytes::Writer out;
  if (order == ByteOrder::kBig) {
    out.U16Be(value);
  } else {
    out.U16Le(value);
  }
  return out.Finish();
}

// One entry of these fields after one of ima-ng, so that the order is known.
class EveryOrder : public ::testing::TestWithParam<ByteOrder> {
 protected:
  Entry Read(absl::string_view name, const std::vector<Bytes>& fields) {
    bytes::Writer data;
    for (const Bytes& field : fields) AddField(data, field, GetParam());
    bytes_ = ListBuilder(GetParam()).Ng("/first", "1").Entry(name, data.view()).Finish();
    const List list = List::Parse(bytes_);
    EXPECT_EQ(list.format().order, GetParam());
    EXPECT_THAT(list.defects(), IsEmpty()) << name;
    EXPECT_THAT(list.entries(), SizeIs(2)) << name;
    return list.entries()[1];
  }

  const Bytes digest_ = DigestField(HashAlg::kSha256, "x");
  const Bytes path_ = PathField("/usr/bin/x");
  Bytes bytes_;
};

// What is read of this data under a template's name, in words.
std::string ReadAs(absl::string_view name, ByteView data, ByteOrder order, bool violation) {
  ListBuilder builder(order);
  builder.Ng("/first", "1");
  builder.Listed(10, Bytes(20, violation ? 0 : 1), name, data);
  const Bytes bytes = builder.Finish();
  const List list = List::Parse(bytes);
  const Entry entry = list.entries()[1];
  return absl::StrCat(list.defects().size(), " ", entry.digest_name, " ", AsText(entry.file_digest),
                      " ", entry.path, " ", AsText(entry.signature), " ", AsText(entry.buffer));
}

// The kernel's own templates are read by a shorter way than formats, which must not show.
TEST_P(EveryOrder, ATemplateReadsWhatItsFormatReads) {
  constexpr std::pair<absl::string_view, absl::string_view> kRows[] = {
      {"ima-ng", "d-ng|n-ng"}, {"ima-sig", "d-ng|n-ng|sig"}, {"ima-buf", "d-ng|n-ng|buf"}};
  for (const auto& row : kRows) {
    const absl::string_view name = row.first;
    const absl::string_view format = row.second;
    bytes::Writer made;
    AddField(made, digest_, GetParam());
    AddField(made, path_, GetParam());
    if (name != "ima-ng") AddField(made, Bytes{1, 2, 3}, GetParam());
    const Bytes good = made.Finish();
    for (const bool violation : {false, true}) {
      const auto expect_same = [&](ByteView data) {
        EXPECT_EQ(ReadAs(name, data, GetParam(), violation),
                  ReadAs(format, data, GetParam(), violation))
            << name;
      };
      for (size_t size = 0; size <= good.size(); ++size) expect_same(ByteView(good).first(size));
      for (size_t at = 0; at < good.size(); ++at) {
        Bytes changed = good;
        for (const uint8_t byte : Bytes{0x00, 0x01, 0x3a, 0xff}) {
          changed[at] = byte;
          expect_same(changed);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, EveryOrder, ::testing::Values(ByteOrder::kLittle, ByteOrder::kBig),
                         [](const auto& row) {
                           return row.param == ByteOrder::kBig ? "Big" : "Little";
                         });

void ExpectFile(const Entry& entry, absl::string_view path, absl::string_view content) {
  EXPECT_EQ(entry.path, path);
  EXPECT_EQ(entry.digest_name, "sha256");
  EXPECT_TRUE(
      SameBytes(entry.file_digest, crypto::Hash(HashAlg::kSha256, AsBytes(content)).view()));
}

TEST_P(EveryOrder, DigestTypesOfTheSecondVersion) {
  for (const char* const type : {"ima", "verity"}) {
    const Entry plain = Read("ima-ngv2", {TypedDigest(type, "x"), path_});
    ExpectFile(plain, "/usr/bin/x", "x");
    EXPECT_EQ(plain.digest_type, type);
    const Entry entry = Read("ima-sigv2", {TypedDigest(type, "x"), path_, Bytes{3, 2, 4}});
    EXPECT_EQ(entry.digest_type, type);
    EXPECT_TRUE(SameBytes(entry.signature, Bytes{3, 2, 4}));
  }
}

TEST_P(EveryOrder, AppendedSignatureWithItsDigest) {
  const Entry entry = Read("ima-modsig", {digest_, path_, Bytes{3, 2},
                                          DigestField(HashAlg::kSha512, "x"), Bytes{0x30, 0x82}});
  ExpectFile(entry, "/usr/bin/x", "x");
  EXPECT_TRUE(SameBytes(entry.signature, Bytes{3, 2}));
  EXPECT_EQ(entry.appended_digest_name, "sha512");
  EXPECT_THAT(entry.appended_digest, SizeIs(64));
  EXPECT_TRUE(SameBytes(entry.appended_signature, Bytes{0x30, 0x82}));
}

TEST_P(EveryOrder, AppendedSignatureMayBeAbsent) {
  const Entry entry = Read("ima-modsig", {digest_, path_, {}, {}, {}});
  ExpectFile(entry, "/usr/bin/x", "x");
  EXPECT_THAT(entry.appended_digest, IsEmpty());
  EXPECT_THAT(entry.appended_signature, IsEmpty());
}

TEST_P(EveryOrder, EvmSignatureWithWhatItCovers) {
  const ByteOrder order = GetParam();
  const Bytes names = PathField("security.ima|security.selinux");
  bytes::Writer lengths;
  AddU32(lengths, 2, order);
  AddU32(lengths, 3, order);
  const Entry entry =
      Read("evm-sig", {digest_, path_, Bytes{5, 1}, names, lengths.Finish(), Bytes{1, 2, 3, 4, 5},
                       U32(1000, order), U32(100, order), U16(0100755, order)});
  ExpectFile(entry, "/usr/bin/x", "x");
  EXPECT_TRUE(SameBytes(entry.evm_signature, Bytes{5, 1}));
  EXPECT_TRUE(SameBytes(entry.xattr_names, names));
  EXPECT_THAT(entry.xattr_lengths, SizeIs(8));
  EXPECT_TRUE(SameBytes(entry.xattr_values, Bytes{1, 2, 3, 4, 5}));
  EXPECT_EQ(entry.owner, 1000u);
  EXPECT_EQ(entry.group, 100u);
  EXPECT_EQ(entry.mode, 0100755u);
}

TEST_P(EveryOrder, EvmFieldsOfNoFileAreEmpty) {
  const Entry entry = Read("evm-sig", {digest_, path_, {}, {}, {}, {}, {}, {}, {}});
  EXPECT_EQ(entry.owner, std::nullopt);
  EXPECT_EQ(entry.mode, std::nullopt);
}

TEST_P(EveryOrder, FormatsOfTheCommandLineInTheirOrder) {
  const Entry entry = Read("n-ng|iuid|d-ng|buf", {path_, U32(7, GetParam()), digest_, Bytes{9}});
  ExpectFile(entry, "/usr/bin/x", "x");
  EXPECT_EQ(entry.template_kind, Template::kCustom);
  EXPECT_EQ(entry.owner, 7u);
  EXPECT_TRUE(entry.HoldsBuffer());
}

TEST_P(EveryOrder, OldFieldsInANewFormat) {
  const Entry entry = Read("d|n", {Bytes(20, 0xaa), path_});
  EXPECT_EQ(entry.digest_name, "sha1");
  EXPECT_EQ(entry.path, "/usr/bin/x");
  EXPECT_EQ(Read("d|n", {Bytes(16, 0xaa), path_}).digest_name, "md5");
}

TEST_P(EveryOrder, KernelRecord) {
  const Entry entry = Read(
      "ima-buf", {DigestField(HashAlg::kSha256, "key"), PathField(".ima"), Bytes{'k', 'e', 'y'}});
  EXPECT_TRUE(entry.HoldsBuffer());
  EXPECT_EQ(BufferDigestHolds(entry), true);
}

TEST_P(EveryOrder, LegacyEntryAmongOthers) {
  const Bytes digest(20, 0xaa);
  const Bytes bytes =
      ListBuilder(GetParam()).Legacy(digest, digest, "/sbin/init").Ng("/a", "a").Finish();
  const List list = List::Parse(bytes);
  EXPECT_THAT(list.defects(), IsEmpty());
  EXPECT_EQ(list.format().order, GetParam());
  EXPECT_EQ(list.entries()[0].path, "/sbin/init");
  EXPECT_EQ(list.entries()[1].path, "/a");
}

TEST_P(EveryOrder, A52_UnknownFieldIsPassedOverAndItsEntryKept) {
  const Entry entry = Read("d-ng|n-ng|uuid", {digest_, path_, Bytes{1, 2, 3}});
  EXPECT_EQ(entry.template_kind, Template::kOther);
  ExpectFile(entry, "/usr/bin/x", "x");
  EXPECT_TRUE(SameBytes(entry.template_data.last(3), Bytes{1, 2, 3}));
}

// A file's entry sent under the name of a kernel record: hashed alike, but its digest is that of
// the file.
TEST(Attack, A50_FileEntryCalledAKernelRecordDoesNotHold) {
  bytes::Writer data;
  AddField(data, DigestField(HashAlg::kSha256, "evil"));
  AddField(data, PathField("/usr/bin/evil"));
  AddField(data, {});
  const Bytes bytes = ListBuilder().Entry("ima-buf", data.view()).Finish();
  EXPECT_EQ(BufferDigestHolds(List::Parse(bytes).entries()[0]), false);
}

TEST(BufferDigestHolds, CannotTellForDigestsThatWeDoNotCompute) {
  Entry entry;
  entry.digest_name = "md5";
  EXPECT_EQ(BufferDigestHolds(entry), std::nullopt);
}

TEST(DigestAlg, KnowsTheNamesOfSm3) {
  for (const char* const name : {"sm3", "sm3-256", "sm3_256"}) {
    EXPECT_EQ(DigestAlg(name), HashAlg::kSm3_256);
  }
  EXPECT_EQ(DigestAlg("md5"), std::nullopt);
  EXPECT_EQ(DigestAlg("mine"), std::nullopt);
}

Bytes NamedDigest(absl::string_view name, size_t size) {
  bytes::Writer out;
  out.Raw(AsBytes(name)).U8(':').U8(0).Raw(Bytes(size, 1));
  return out.Finish();
}

std::vector<Defect> DefectsOf(ByteView listed, absl::string_view name, const Bytes& digest) {
  bytes::Writer data;
  AddField(data, digest);
  AddField(data, PathField("/x"));
  const Bytes bytes = ListBuilder().Listed(10, listed, name, data.view()).Finish();
  return List::Parse(bytes).defects();
}

TEST(Attack, A59_DigestOfAnotherSizeThanItsAlgorithmsIsMalformed) {
  struct Row {
    const char* name;
    size_t size;
  };
  const Bytes listed(20, 1);
  for (const Row& row :
       {Row{"md5", 16}, Row{"sha1", 20}, Row{"sha224", 28}, Row{"sha256", 32}, Row{"sm3", 32},
        Row{"sha384", 48}, Row{"sha512", 64}, Row{"sha3-256", 32}, Row{"streebog512", 64}}) {
    for (const size_t size : {16u, 20u, 28u, 32u, 48u, 64u}) {
      const auto defects = DefectsOf(listed, "ima-ng", NamedDigest(row.name, size));
      EXPECT_EQ(defects.empty(), size == row.size) << row.name << " of " << size;
      for (const Defect& defect : defects) EXPECT_EQ(defect.reason, Reason::kImaTemplate);
    }
  }
}

// What some kernels write; nobody believes the fields of a violation.
TEST(ReadFields, ViolationMayHaveADigestOfTwentyBytes) {
  EXPECT_THAT(DefectsOf(Bytes(20, 0), "ima-ng", NamedDigest("sha256", 20)), IsEmpty());
  EXPECT_THAT(DefectsOf(Bytes(20, 0), "ima-ng", NamedDigest("sha256", 21)), SizeIs(1));
}

TEST(Attack, A52_DigestTypeIsImaOrVerity) {
  for (const char* const type : {"", "IMA", "none", "verity "}) {
    EXPECT_THAT(DefectsOf(Bytes(20, 1), "ima-ngv2", TypedDigest(type, "x")), SizeIs(1)) << type;
  }
}

}  // namespace
}  // namespace bootgate::ima
