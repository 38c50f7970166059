#include "common/eventlog/log.h"

#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/replay.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using crypto::HashAlg;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using testing::LogBuilder;
using ::testing::SizeIs;
using testing::SpecIdHead;
using testing::Text;

std::vector<std::string> Codes(const Log& log) {
  std::vector<std::string> codes;
  for (const Defect& defect : log.defects()) codes.emplace_back(Code(defect.reason));
  return codes;
}

LogBuilder TwoBanks() { return LogBuilder::CryptoAgile({HashAlg::kSha1, HashAlg::kSha256}); }

Bytes LocalityData(uint8_t locality) {
  Bytes data = Text(absl::string_view("StartupLocality\0", 16));
  data.push_back(locality);
  return data;
}

std::vector<testing::TpmDigest> DigestsOf(std::vector<std::pair<uint16_t, size_t>> sizes) {
  std::vector<testing::TpmDigest> digests;
  for (const auto& [alg, size] : sizes) digests.emplace_back(alg, Bytes(size, 0xab));
  return digests;
}

TEST(LogParse, EmptyInputIsAnEmptyLog) {
  const Log log = Log::Parse({});
  EXPECT_EQ(log.format(), Format::kEmpty);
  EXPECT_THAT(log.events(), IsEmpty());
  EXPECT_THAT(log.defects(), IsEmpty());
}

TEST(LogParse, NothingButPaddingIsAnEmptyLog) {
  for (const uint8_t filler : {uint8_t{0x00}, uint8_t{0xff}}) {
    const Bytes bytes(4096, filler);
    const Log log = Log::Parse(bytes);
    EXPECT_EQ(log.format(), Format::kEmpty);
    EXPECT_THAT(log.defects(), IsEmpty());
  }
}

TEST(LogParse, PaddingAfterTheLastEventIsFine) {
  for (const uint8_t filler : {uint8_t{0x00}, uint8_t{0xff}}) {
    Bytes bytes = TwoBanks().Event(4, kEvEfiAction, Text("Calling EFI")).Finish();
    bytes.insert(bytes.end(), 1000, filler);
    const Log log = Log::Parse(bytes);
    EXPECT_THAT(log.events(), SizeIs(2));
    EXPECT_THAT(log.defects(), IsEmpty());
  }
}

TEST(LogParse, DataThatEndsInZerosIsNoPadding) {
  const Bytes bytes = TwoBanks().Event(0, kEvSeparator, Bytes(4, 0)).Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.events(), SizeIs(2));
  EXPECT_THAT(log.defects(), IsEmpty());
}

TEST(LogParse, RecordSaysWhereItLiesAndWhatItHolds) {
  const Bytes bytes = TwoBanks().Event(5, kEvEfiAction, Text("abc")).Finish();
  const Log log = Log::Parse(bytes);
  ASSERT_THAT(log.events(), SizeIs(2));
  const Event& event = log.events()[1];
  EXPECT_EQ(event.number, 1u);
  EXPECT_EQ(event.register_index, 5u);
  EXPECT_EQ(event.untrusted_type, kEvEfiAction);
  EXPECT_EQ(event.digest_count, 2u);
  EXPECT_EQ(AsText(event.data), "abc");
  EXPECT_TRUE(SameBytes(*log.DigestOf(event, HashAlg::kSha256),
                        crypto::Hash(HashAlg::kSha256, AsBytes("abc")).view()));
  EXPECT_FALSE(log.DigestOf(event, HashAlg::kSha384).has_value());
}

TEST(LogParse, UnknownAlgorithmIsReadByItsAnnouncedSize) {
  bytes::Writer spec = SpecIdHead();
  spec.U32Le(2).U16Le(0x0027).U16Le(32).U16Le(0x000b).U16Le(32).U8(0);
  const Bytes bytes = LogBuilder()
                          .Legacy(0, kEvNoAction, spec.view(), crypto::Digest(HashAlg::kSha1))
                          .Event(1, kEvEfiAction, Text("x"), DigestsOf({{0x27, 32}, {0x0b, 32}}))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.defects(), IsEmpty());
  EXPECT_THAT(log.banks(), ElementsAre(HashAlg::kSha256));
  EXPECT_TRUE(ReplayBank(log, HashAlg::kSha256).bank.Has(1));
}

TEST(LogParse, LegacyLogNeedsNoSpecIdEvent) {
  const Bytes bytes =
      LogBuilder()
          .Legacy(2, kEvSeparator, Bytes(4, 0), crypto::Hash(HashAlg::kSha1, Bytes(4, 0)))
          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(log.format(), Format::kLegacySha1);
  EXPECT_THAT(log.banks(), ElementsAre(HashAlg::kSha1));
  EXPECT_THAT(log.events(), SizeIs(1));
}

// The whole of a real log, cut at every length: what is left is a prefix of its events, and a cut
// inside a record is told.
TEST(Attack, A41_LogCutAnywhereIsTruncated) {
  const Bytes whole = testing::CorpusFile("eventlogs/sha256-only.bin");
  const Log all = Log::Parse(whole);
  for (size_t size = 1; size < whole.size(); ++size) {
    const Log log = Log::Parse(ByteView(whole).first(size));
    const size_t complete = log.events().size();
    ASSERT_LT(complete, all.events().size());
    const bool between_records = all.events()[complete].offset == size;
    // A cut inside leading zeros of a record cannot be told from padding.
    const ByteView rest = ByteView(whole).first(size).subspan(all.events()[complete].offset);
    const bool zeros = std::ranges::all_of(rest, [](uint8_t b) { return b == 0; });
    if (between_records || zeros) {
      EXPECT_THAT(log.defects(), IsEmpty()) << size;
    } else {
      ASSERT_THAT(Codes(log), ElementsAre("LOG_TRUNCATED")) << size;
      EXPECT_EQ(log.defects()[0].offset, all.events()[complete].offset);
    }
  }
}

TEST(Attack, A41_GarbageAfterTheLastEventIsTold) {
  const Bytes bytes = TwoBanks()
                          .Event(4, kEvEfiAction, Text("Calling EFI"))
                          .Raw(Text("this is certainly no record of any boot log"))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.events(), SizeIs(2));
  EXPECT_THAT(Codes(log), ElementsAre("LOG_TRAILING"));
}

TEST(Attack, A41_TextIsNoLog) {
  const Log log = Log::Parse(AsBytes("this is not a measured boot log...\n"));
  EXPECT_THAT(log.events(), IsEmpty());
  EXPECT_THAT(Codes(log), ElementsAre("LOG_TRAILING"));
}

TEST(Attack, A42_RegisterOutOfRangeIsToldAndExtendsNothing) {
  for (const uint32_t index : {24u, 32u, 0xffffffffu}) {
    const Bytes bytes = TwoBanks().Event(index, kEvEfiAction, Text("x")).Finish();
    const Log log = Log::Parse(bytes);
    EXPECT_THAT(log.events(), SizeIs(2));
    EXPECT_THAT(Codes(log), ElementsAre("LOG_PCR_INDEX"));
    EXPECT_EQ(log.defects()[0].register_index, std::nullopt);
    EXPECT_EQ(ReplayBank(log, HashAlg::kSha256).bank.mask(), 0u);
    EXPECT_THAT(Trace(log, HashAlg::kSha256, index), IsEmpty());
  }
}

TEST(LogParse, NoActionMayNameNoRegister) {
  const Bytes bytes = TwoBanks().Event(0xffffffff, kEvNoAction, Text("note")).Finish();
  EXPECT_THAT(Log::Parse(bytes).defects(), IsEmpty());
}

struct DigestRow {
  const char* name;
  std::vector<std::pair<uint16_t, size_t>> digests;
  size_t events;  // that are read
};
void PrintTo(const DigestRow& row, std::ostream* os) { *os << row.name; }
class A43DigestTable : public ::testing::TestWithParam<DigestRow> {};

TEST_P(A43DigestTable, DefectIsTold) {
  const Bytes bytes = TwoBanks()
                          .Event(3, kEvEfiAction, Text("x"), DigestsOf(GetParam().digests))
                          .Event(3, kEvEfiAction, Text("after"))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(Codes(log), ElementsAre("LOG_DIGESTS"));
  EXPECT_EQ(log.events().size(), GetParam().events);
  EXPECT_EQ(log.defects()[0].event, 1u);
}

INSTANTIATE_TEST_SUITE_P(Attack, A43DigestTable,
                         ::testing::ValuesIn(std::vector<DigestRow>{
                             {"None", {}, 3},
                             {"OneOfTwo", {{0x0b, 32}}, 3},
                             {"OneGivenTwice", {{0x0b, 32}, {0x0b, 32}}, 3},
                             {"BothAndOneAgain", {{0x04, 20}, {0x0b, 32}, {0x04, 20}}, 3},
                             {"KnownButNotAnnounced", {{0x04, 20}, {0x0b, 32}, {0x0c, 48}}, 3},
                             {"UnknownOfUnknownSize", {{0x04, 20}, {0x0b, 32}, {0x7777, 32}}, 1},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Attack, A43_EventWithoutTheBanksDigestIsToldByTheReplay) {
  const Bytes bytes =
      TwoBanks().Event(3, kEvEfiAction, Text("x"), DigestsOf({{0x04, 20}})).Finish();
  const Replay replay = ReplayBank(Log::Parse(bytes), HashAlg::kSha256);
  ASSERT_THAT(replay.defects, SizeIs(1));
  EXPECT_EQ(replay.defects[0].reason, Reason::kLogDigests);
  EXPECT_EQ(replay.defects[0].event, 1u);
}

struct SpecRow {
  const char* name;
  std::function<void(bytes::Writer&)> banks;
  const char* code;
};
void PrintTo(const SpecRow& row, std::ostream* os) { *os << row.name; }
class BadSpecId : public ::testing::TestWithParam<SpecRow> {};

TEST_P(BadSpecId, IsToldAndNothingAfterItIsRead) {
  bytes::Writer spec = SpecIdHead();
  GetParam().banks(spec);
  const Bytes bytes = LogBuilder()
                          .Legacy(0, kEvNoAction, spec.view(), crypto::Digest(HashAlg::kSha1))
                          .Event(0, kEvEfiAction, Text("x"), DigestsOf({{0x0b, 32}}))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(Codes(log), ElementsAre(GetParam().code));
  EXPECT_THAT(log.events(), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(
    Attack, BadSpecId,
    ::testing::ValuesIn(std::vector<SpecRow>{
        {"A43_NoBank", [](bytes::Writer& out) { out.U32Le(0).U8(0); }, "LOG_SPEC_ID"},
        {"A43_KnownBankWithAnotherSize",
         [](bytes::Writer& out) { out.U32Le(1).U16Le(0x0b).U16Le(20).U8(0); }, "LOG_SPEC_ID"},
        {"A43_BankTwice",
         [](bytes::Writer& out) { out.U32Le(2).U16Le(0x0b).U16Le(32).U16Le(0x0b).U16Le(32).U8(0); },
         "LOG_SPEC_ID"},
        {"A43_UnknownBankOfSizeZero",
         [](bytes::Writer& out) { out.U32Le(1).U16Le(0x99).U16Le(0).U8(0); }, "LOG_SPEC_ID"},
        {"A43_UnknownBankOfHugeSize",
         [](bytes::Writer& out) { out.U32Le(1).U16Le(0x99).U16Le(0xffff).U8(0); }, "LOG_SPEC_ID"},
        {"A44_AllTheBanksThereCouldBe",
         [](bytes::Writer& out) { out.U32Le(0xffffffff).U16Le(0x0b).U16Le(32).U8(0); },
         "LOG_LIMIT"},
        {"CutInABank", [](bytes::Writer& out) { out.U32Le(2).U16Le(0x0b).U16Le(32); },
         "LOG_SPEC_ID"},
        {"CutBeforeTheBanks", [](bytes::Writer& out) { out.U8(1); }, "LOG_SPEC_ID"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Attack, A44_HugeEventSizeIsALimit) {
  bytes::Writer record;
  record.U32Le(0).U32Le(kEvEfiAction).U32Le(0).U32Le(0xffffffff).U8(1);
  const Bytes bytes = TwoBanks().Raw(record.view()).Finish();
  EXPECT_THAT(Codes(Log::Parse(bytes)), Contains("LOG_LIMIT"));
}

TEST(Attack, A44_HugeDigestCountIsALimit) {
  bytes::Writer record;
  record.U32Le(0).U32Le(kEvEfiAction).U32Le(0xffffffff).U32Le(1);
  const Bytes bytes = TwoBanks().Raw(record.view()).Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(Codes(log), ElementsAre("LOG_LIMIT"));
  EXPECT_THAT(log.events(), SizeIs(1));
}

// Sixteen million bytes of the smallest records there are: bounded in number, defects too.
TEST(Attack, A44_ManySmallEventsAreALimit) {
  bytes::Writer record;
  record.U32Le(24).U32Le(kEvEfiAction).U32Le(0).U32Le(0);
  LogBuilder builder = TwoBanks();
  for (size_t i = 0; i < kMaxEvents + 10; ++i) builder.Raw(record.view());
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.events(), SizeIs(kMaxEvents));
  EXPECT_THAT(log.defects(), SizeIs(kMaxDefects));
  EXPECT_THAT(log.defects().back().text, ::testing::HasSubstr("further defects"));
}

// The zeros that a padding check might walk again and again.
TEST(Attack, A44_ZerosBeforeOneOddByteAreReadOnce) {
  Bytes bytes(size_t{16} << 20, 0);
  bytes.push_back(1);
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.events().size(), ::testing::Le(kMaxEvents));
  EXPECT_THAT(Codes(log), Contains("LOG_LIMIT"));
}

TEST(Attack, A44_LogAboveTheSizeLimitIsNotRead) {
  const Bytes bytes(kMaxLogBytes + 1, 1);
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(Codes(log), ElementsAre("LOG_LIMIT"));
  EXPECT_THAT(log.events(), IsEmpty());
}

TEST(Attack, A38_StartupLocalityCountsOnceAndFirst) {
  const Bytes twice = TwoBanks()
                          .Event(0, kEvNoAction, LocalityData(3))
                          .Event(0, kEvNoAction, LocalityData(4))
                          .Finish();
  EXPECT_THAT(Codes(Log::Parse(twice)), ElementsAre("LOG_NO_ACTION"));
  EXPECT_EQ(Log::Parse(twice).startup_locality(), 3);
  const Bytes late =
      TwoBanks().Event(0, kEvEfiAction, Text("x")).Event(0, kEvNoAction, LocalityData(3)).Finish();
  EXPECT_THAT(Codes(Log::Parse(late)), ElementsAre("LOG_NO_ACTION"));
  EXPECT_EQ(Log::Parse(late).startup_locality(), 0);
}

TEST(Attack, A38_StartupLocalityThatIsNoneIsTold) {
  for (const uint8_t locality : {uint8_t{1}, uint8_t{2}, uint8_t{5}, uint8_t{255}}) {
    const Bytes bytes = TwoBanks().Event(0, kEvNoAction, LocalityData(locality)).Finish();
    EXPECT_THAT(Codes(Log::Parse(bytes)), ElementsAre("LOG_NO_ACTION"));
    EXPECT_EQ(Log::Parse(bytes).startup_locality(), 0);
  }
}

TEST(Attack, A38_NoActionWithADigestIsTold) {
  const Bytes bytes =
      TwoBanks()
          .Event(0, kEvNoAction, Text("measured?"), DigestsOf({{0x04, 20}, {0x0b, 32}}))
          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(Codes(log), ElementsAre("LOG_NO_ACTION"));
  EXPECT_EQ(ReplayBank(log, HashAlg::kSha256).bank.mask(), 0u);
}

// ---- what the registers are

LogBuilder Confidential() { return LogBuilder::CryptoAgile({HashAlg::kSha384}, 1); }

TEST(RegisterKind, IsSaidByTheHeader) {
  const Bytes tpm = TwoBanks().Event(1, kEvSeparator, Bytes(4, 0)).Finish();
  EXPECT_EQ(Log::Parse(tpm).register_kind(), RegisterKind::kPcr);
  const Bytes machine = Confidential().Event(1, kEvSeparator, Bytes(4, 0)).Finish();
  EXPECT_EQ(Log::Parse(machine).register_kind(), RegisterKind::kCcMeasurement);
  const Bytes shim = LogBuilder::CryptoAgile({HashAlg::kSha384}, 0, "td-shim").Finish();
  EXPECT_EQ(Log::Parse(shim).register_kind(), RegisterKind::kCcMeasurement);
}

TEST(Attack, A42_ConfidentialMachineHasFourRegistersToExtend) {
  for (const uint32_t index : {0u, 5u, 7u, 23u, 24u, 0xffffffffu}) {
    const Bytes bytes = Confidential().Event(index, kEvEfiAction, Text("x")).Finish();
    EXPECT_THAT(Codes(Log::Parse(bytes)), ElementsAre("LOG_PCR_INDEX")) << index;
  }
  for (const uint32_t index : {1u, 2u, 3u, 4u}) {
    const Bytes bytes = Confidential().Event(index, kEvEfiAction, Text("x")).Finish();
    EXPECT_THAT(Log::Parse(bytes).defects(), IsEmpty()) << index;
  }
}

// Its registers start at zeros whatever the log says.
TEST(RegisterKind, ConfidentialMachineHasNoStartupLocality) {
  const Bytes bytes = Confidential()
                          .Event(0, kEvNoAction, LocalityData(3))
                          .Event(1, kEvEfiAction, Text("x"))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(log.startup_locality(), 0);
  EXPECT_EQ(StartOf(log, 1), StartValue::kZeros);
  EXPECT_EQ(StartOf(log, 17), StartValue::kZeros);
}

TEST(LogParse, PaddingOfAMegabyteIsFine) {
  for (const uint8_t filler : {uint8_t{0x00}, uint8_t{0xff}}) {
    Bytes bytes = Confidential().Event(1, kEvSeparator, Bytes(4, 0)).Finish();
    bytes.resize(size_t{1} << 20, filler);
    const Log log = Log::Parse(bytes);
    EXPECT_THAT(log.events(), SizeIs(2));
    EXPECT_THAT(log.defects(), IsEmpty());
  }
}

TEST(LogParse, Sm3BankIsRead) {
  const Bytes bytes =
      LogBuilder::CryptoAgile({HashAlg::kSm3_256}).Event(7, kEvSeparator, Bytes(4, 0)).Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_THAT(log.defects(), IsEmpty());
  EXPECT_EQ(*ReplayBank(log, HashAlg::kSm3_256).bank.Get(7),
            registers::Extended(crypto::Digest(HashAlg::kSm3_256),
                                crypto::Hash(HashAlg::kSm3_256, Bytes(4, 0))));
}

// ---- several logs in the same bytes

TEST(SplitLogs, LogsOneBehindTheOtherAreTakenApart) {
  const Bytes first = testing::CorpusFile("eventlogs/startup-locality-3.bin");
  const Bytes second = testing::CorpusFile("eventlogs/sha256-only.bin");
  const Bytes third = testing::CorpusFile("eventlogs/ccel-tdx-grub.bin");
  Bytes all = first;
  all.insert(all.end(), second.begin(), second.end());
  all.insert(all.end(), third.begin(), third.end());
  const std::vector<ByteView> logs = SplitLogs(all);
  ASSERT_THAT(logs, SizeIs(3));
  EXPECT_TRUE(SameBytes(logs[0], first));
  EXPECT_TRUE(SameBytes(logs[1], second));
  EXPECT_TRUE(SameBytes(logs[2], third));
  for (const ByteView log : logs) EXPECT_THAT(Log::Parse(log).defects(), IsEmpty());
}

TEST(SplitLogs, OneLogIsItselfAndNothingIsNone) {
  const Bytes bytes = testing::CorpusFile("eventlogs/sha256-only.bin");
  EXPECT_THAT(SplitLogs(bytes), SizeIs(1));
  EXPECT_THAT(SplitLogs({}), IsEmpty());
}

TEST(Attack, A44_LogsWithoutEndAreALimit) {
  const Bytes one = TwoBanks().Event(1, kEvSeparator, Bytes(4, 0)).Finish();
  Bytes many;
  for (size_t i = 0; i < kMaxLogs + 10; ++i) many.insert(many.end(), one.begin(), one.end());
  const std::vector<ByteView> logs = SplitLogs(many);
  ASSERT_THAT(logs, SizeIs(kMaxLogs));
  EXPECT_EQ(logs.back().size(), 11 * one.size());
}

TEST(Attack, A38_AnotherLogBehindTheFirstIsTold) {
  const Bytes legacy =
      LogBuilder()
          .Legacy(2, kEvSeparator, Bytes(4, 0), crypto::Hash(HashAlg::kSha1, Bytes(4, 0)))
          .Finish();
  for (const Bytes& first : {TwoBanks().Event(1, kEvEfiAction, Text("x")).Finish(), legacy}) {
    Bytes bytes = first;
    const Bytes second = TwoBanks().Event(0, kEvEfiAction, Text("y")).Finish();
    bytes.insert(bytes.end(), second.begin(), second.end());
    const Log log = Log::Parse(bytes);
    EXPECT_THAT(Codes(log), ElementsAre("LOG_TRAILING"));
    EXPECT_EQ(log.next_log(), first.size());
    EXPECT_EQ(log.events().size(), Log::Parse(first).events().size());
  }
}

TEST(Attack, A38_SecondSpecIdEventIsTold) {
  bytes::Writer spec = SpecIdHead();
  spec.U32Le(1).U16Le(0x0b).U16Le(32).U8(0);
  const Bytes bytes = TwoBanks().Event(0, kEvNoAction, spec.view()).Finish();
  EXPECT_THAT(Codes(Log::Parse(bytes)), ElementsAre("LOG_NO_ACTION"));
}

}  // namespace
}  // namespace bootgate::eventlog
