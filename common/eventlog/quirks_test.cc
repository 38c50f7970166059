#include "common/eventlog/quirks.h"

#include <set>

#include "common/eventlog/coverage.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/replay.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using crypto::HashAlg;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LogBuilder;
using testing::Text;
using testing::TpmDigest;

constexpr uint32_t kNoRegister = 0xffffffff;

LogBuilder OneBank() { return LogBuilder::CryptoAgile({HashAlg::kSha256}); }
LogBuilder TwoBanks() { return LogBuilder::CryptoAgile({HashAlg::kSha1, HashAlg::kSha256}); }

std::vector<TpmDigest> Sha256Of(ByteView data) {
  return {{uint16_t{0x0b}, ToBytes(crypto::Hash(HashAlg::kSha256, data).view())}};
}

std::vector<std::string> Codes(const Log& log) {
  std::vector<std::string> codes;
  for (const Defect& defect : log.defects()) codes.emplace_back(Code(defect.reason));
  return codes;
}

std::vector<std::string> Ids(const Log& log) {
  std::vector<std::string> ids;
  for (const UsedQuirk& used : UsedQuirks(log)) ids.emplace_back(used.quirk->id);
  return ids;
}

TEST(Quirks, EachHasAnIdOfItsOwnAndSaysWhatAndWhere) {
  std::set<absl::string_view> ids;
  for (size_t i = 0; i < QuirkCount(); ++i) {
    EXPECT_TRUE(ids.insert(QuirkAt(i).id).second) << QuirkAt(i).id;
    EXPECT_FALSE(QuirkAt(i).departs.empty());
    EXPECT_FALSE(QuirkAt(i).seen.empty());
  }
  EXPECT_GE(ids.size(), 8u);
}

TEST(Quirks, OrdinaryLogUsesNone) {
  const Bytes bytes = TwoBanks()
                          .Event(0, kEvNoAction, Text("remark"))
                          .Event(0, kEvSCrtmVersion, Text("1.2"))
                          .Event(7, kEvSeparator, Bytes(4, 0))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.defects(), IsEmpty());
  EXPECT_THAT(Ids(log), IsEmpty());
}

// A trust point with nothing but its header and four bytes in it.
Bytes TrustPoint(uint32_t tag = 0xc0010004) {
  bytes::Writer out;
  out.U32Le(tag).U32Le(4).U32Le(0x12345678);
  return out.Finish();
}

TEST(TrustBoundary, OfWindowsAtTheEndIsAQuirk) {
  const Bytes data = TrustPoint();
  const Bytes bytes = OneBank()
                          .Event(4, kEvEfiAction, Text("x"))
                          .Event(kNoRegister, kEvNoAction, data, Sha256Of(data))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.defects(), IsEmpty());
  EXPECT_THAT(Ids(log), ElementsAre("windows-trust-boundary"));
  EXPECT_EQ(UsedQuirks(log)[0].first_event, 2u);
  EXPECT_EQ(UsedQuirks(log)[0].events, 1u);
  EXPECT_EQ(ReplayBank(log, HashAlg::kSha256).bank.mask(), 1u << 4);
}

struct BoundaryRow {
  const char* name;
  uint32_t register_index;
  uint32_t tag;
  absl::string_view hashed;  // empty: the data
  bool last;
};
void PrintTo(const BoundaryRow& row, std::ostream* os) { *os << row.name; }
class A38NotQuiteATrustBoundary : public ::testing::TestWithParam<BoundaryRow> {};

TEST_P(A38NotQuiteATrustBoundary, IsRefused) {
  const BoundaryRow& row = GetParam();
  const Bytes data = TrustPoint(row.tag);
  const ByteView hashed = row.hashed.empty() ? ByteView(data) : AsBytes(row.hashed);
  LogBuilder builder = OneBank().Event(row.register_index, kEvNoAction, data, Sha256Of(hashed));
  if (!row.last) builder.Event(4, kEvEfiAction, Text("more"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(Codes(log), ElementsAre("LOG_NO_ACTION"));
  EXPECT_EQ(log.defects()[0].event, 1u);
  EXPECT_THAT(Ids(log), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Attack, A38NotQuiteATrustBoundary,
                         ::testing::ValuesIn(std::vector<BoundaryRow>{
                             {"InARegister", 12, 0xc0010004, "", true},
                             {"OfAnotherTag", kNoRegister, 0x40010001, "", true},
                             {"WithAnotherDigest", kNoRegister, 0xc0010004, "else", true},
                             {"NotTheLast", kNoRegister, 0xc0010004, "", false},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

const Bytes& LoaderStarts() {
  static const Bytes data = {0x10, 0, 0, 0};
  return data;
}

TEST(FewerDigests, FromTheWindowsLoaderOnAreAQuirk) {
  const Bytes bytes = TwoBanks()
                          .Event(4, kEvEfiAction, Text("x"))
                          .Event(11, kEvCompactHash, LoaderStarts(), Sha256Of(LoaderStarts()))
                          .Event(12, kEvEventTag, Text("tag"), Sha256Of(Text("tag")))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.defects(), IsEmpty());
  EXPECT_EQ(log.fewer_digests_from(), 2u);
  EXPECT_THAT(Ids(log), ElementsAre("windows-fewer-digests"));
  EXPECT_EQ(UsedQuirks(log)[0].events, 2u);
  EXPECT_THAT(ReplayBank(log, HashAlg::kSha256).defects, IsEmpty());
  EXPECT_EQ(ReplayBank(log, HashAlg::kSha1).defects.size(), 2u);
}

TEST(FewerDigests, OfEveFilesAreAQuirk) {
  const Bytes file = Text("file:/config/server exist:false");
  const Bytes bytes = TwoBanks()
                          .Event(4, kEvEfiAction, Text("x"))
                          .Event(14, kEvEfiAction, file, Sha256Of(file))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.defects(), IsEmpty());
  EXPECT_THAT(Ids(log), ElementsAre("eve-fewer-digests"));
}

TEST(FewerDigests, InEveryRecordMeanABankThatIsNotUsed) {
  const Bytes bytes = TwoBanks()
                          .Event(4, kEvEfiAction, Text("x"), Sha256Of(Text("x")))
                          .Event(4, kEvEfiAction, Text("y"), Sha256Of(Text("y")))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.defects(), IsEmpty());
  EXPECT_THAT(Ids(log), ElementsAre("unused-banks-announced"));
}

TEST(Attack, A43_FewerDigestsThatDoNotLastAreToldWhereTheyBegan) {
  const Bytes bytes = TwoBanks()
                          .Event(4, kEvEfiAction, Text("x"))
                          .Event(11, kEvCompactHash, LoaderStarts(), Sha256Of(LoaderStarts()))
                          .Event(12, kEvEventTag, Text("tag"))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(Codes(log), ElementsAre("LOG_DIGESTS"));
  EXPECT_EQ(log.defects()[0].event, 2u);
  EXPECT_EQ(log.fewer_digests_from(), std::nullopt);
  EXPECT_THAT(Ids(log), IsEmpty());
}

TEST(Attack, A43_FewerDigestsFromAnyOtherRecordOnAreTold) {
  const Bytes bytes = TwoBanks()
                          .Event(4, kEvEfiAction, Text("x"))
                          .Event(5, kEvEfiAction, Text("y"), Sha256Of(Text("y")))
                          .Event(5, kEvEfiAction, Text("z"), Sha256Of(Text("z")))
                          .Finish();
  EXPECT_THAT(Codes(Log::Parse(bytes)), ElementsAre("LOG_DIGESTS", "LOG_DIGESTS"));
}

// An authority record as old shims wrote it.
Bytes ShimAuthority(size_t surplus) {
  const Bytes guid(16, 0x5a);
  Bytes data = testing::VariableData(guid, testing::Utf16("Shim"), Text("certificate"));
  data.insert(data.end(), surplus, 0xee);
  return data;
}

TEST(ShimAuthority, WithoutItsLastByteIsCovered) {
  const Bytes data = ShimAuthority(6);
  const Bytes bytes =
      OneBank()
          .Event(7, kEvEfiVariableAuthority, data, Sha256Of(ByteView(data).first(data.size() - 1)))
          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(CoverageOf(log, log.events()[1], HashAlg::kSha256), Coverage::kCovered);
  EXPECT_THAT(Ids(log), ElementsAre("shim-authority-surplus"));
}

TEST(Attack, A37_AuthorityOfAnotherFormWithoutItsLastByteIsNotCovered) {
  for (const size_t surplus : {size_t{0}, size_t{1}, size_t{5}, size_t{7}}) {
    const Bytes data = ShimAuthority(surplus);
    const auto digest = Sha256Of(ByteView(data).first(data.size() - 1));
    const Bytes bytes = OneBank().Event(7, kEvEfiVariableAuthority, data, digest).Finish();
    const Log log = Log::Parse(bytes);
    EXPECT_EQ(CoverageOf(log, log.events()[1], HashAlg::kSha256), Coverage::kMismatch) << surplus;
    EXPECT_THAT(Ids(log), IsEmpty());
  }
}

TEST(BootGuardVersion, ThatIsNotHashedIsNotCovered) {
  const Bytes text = Text(absl::string_view("Boot Guard Measured S-CRTM\0", 27));
  const Bytes bytes = OneBank()
                          .Event(0, kEvSCrtmContents, text)
                          .Event(0, kEvSCrtmVersion, Text("2.5"), Sha256Of(Text("else")))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(CoverageOf(log, log.events()[2], HashAlg::kSha256), Coverage::kNotCovered);
  EXPECT_THAT(Ids(log), ElementsAre("boot-guard-version-not-hashed"));
}

TEST(Attack, A37_VersionThatIsNotHashedElsewhereIsAMismatch) {
  const Bytes bytes = OneBank()
                          .Event(0, kEvSCrtmContents, Text("other"))
                          .Event(0, kEvSCrtmVersion, Text("2.5"), Sha256Of(Text("else")))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(CoverageOf(log, log.events()[2], HashAlg::kSha256), Coverage::kMismatch);
  EXPECT_THAT(Ids(log), IsEmpty());
}

TEST(Quirks, BootVariableHashedWholeIsSaid) {
  const Bytes data = testing::VariableData(Bytes(16, 1), testing::Utf16("BootOrder"), Bytes(2, 0));
  const Bytes bytes = OneBank().Event(1, kEvEfiVariableBoot, data).Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(CoverageOf(log, log.events()[1], HashAlg::kSha256), Coverage::kCovered);
  EXPECT_THAT(Ids(log), ElementsAre("boot-variable-hashed-whole"));
}

TEST(Quirks, SeparatorsRepeatedInAMeasurementRegisterAreSaid) {
  const Bytes zeros(4, 0);
  const Bytes bytes = LogBuilder::CryptoAgile({HashAlg::kSha384}, 1)
                          .Event(1, kEvSeparator, zeros)
                          .Event(2, kEvSeparator, zeros)
                          .Event(1, kEvSeparator, zeros)
                          .Finish();
  const std::vector<UsedQuirk> used = UsedQuirks(Log::Parse(bytes));
  ASSERT_EQ(used.size(), 1u);
  EXPECT_EQ(used[0].quirk->id, "cc-repeated-separator");
  EXPECT_EQ(used[0].first_event, 3u);
  EXPECT_EQ(used[0].events, 1u);
}

// The form that a tail must have is not enough for a record that cannot be read.
TEST(Attack, A43_RecordWithoutDigestsThatCannotBeReadIsToldForBoth) {
  bytes::Writer record;
  record.U32Le(0).U32Le(kEvEfiAction).U32Le(0).U32Le(0x7fffffff);
  const Bytes bytes = TwoBanks().Event(1, kEvEfiAction, Text("x")).Raw(record.view()).Finish();
  EXPECT_THAT(Codes(Log::Parse(bytes)),
              ::testing::UnorderedElementsAre("LOG_LIMIT", "LOG_DIGESTS"));
}

TEST(Quirks, WindowsEndSeparatorsAreSaid) {
  const Bytes bytes = OneBank()
                          .Event(12, kEvSeparator, Text("WBCL"))
                          .Event(13, kEvSeparator, Text("WBCL"))
                          .Event(7, kEvSeparator, Text("WBCL"))
                          .Finish();
  const std::vector<UsedQuirk> used = UsedQuirks(Log::Parse(bytes));
  ASSERT_EQ(used.size(), 1u);
  EXPECT_EQ(used[0].quirk->id, "windows-end-separator");
  EXPECT_EQ(used[0].events, 2u);
}

}  // namespace
}  // namespace bootgate::eventlog
