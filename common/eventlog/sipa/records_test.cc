#include "common/eventlog/sipa/records.h"

#include <filesystem>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/bytes/writer.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog::sipa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Bytes RecordBytes(uint32_t id, ByteView data) {
  bytes::Writer out;
  out.U32Le(id).U32Le(static_cast<uint32_t>(data.size())).Raw(data);
  return out.Finish();
}

// `levels` containers in one another, the innermost empty.
Bytes Nested(uint32_t id, size_t levels) {
  Bytes data;
  for (size_t i = 0; i < levels; ++i) data = RecordBytes(id, data);
  return data;
}

std::vector<std::string> Outline(const Records& read) {
  std::vector<std::string> lines;
  for (const Record& record : read.records) {
    lines.push_back(absl::StrCat(std::string(record.depth * 2, ' '), RecordName(record.id), " ",
                                 record.data.size()));
  }
  return lines;
}

TEST(RecordTypeTable, EachNumberAndNameStandsOnce) {
  std::set<uint32_t> ids;
  std::set<std::string> names;
  for (const RecordType& type : RecordTypes()) {
    EXPECT_TRUE(ids.insert(type.id).second) << type.name;
    EXPECT_TRUE(names.insert(std::string(type.name)).second) << type.name;
    EXPECT_TRUE(LooksLikeRecord(type.id)) << type.name;
    EXPECT_EQ(FindRecordType(type.id), &type);
    EXPECT_EQ(type.form == Form::kContainer, (type.id & kAggregation) != 0) << type.name;
  }
  EXPECT_EQ(ids.size(), 108u);
}

TEST(RecordTypeTable, NumbersWithoutANameAreKeptByNumber) {
  EXPECT_EQ(FindRecordType(0x0005ABCD), nullptr);
  EXPECT_EQ(RecordName(0x0005ABCD), "EVENT_0x0005ABCD");
  EXPECT_EQ(RecordName(0x00050002), "EVENT_CODEINTEGRITY");
}

TEST(RecordTypeTable, ValuesHaveNames) {
  const RecordType& unlock = *FindRecordType(0x00020005);
  EXPECT_EQ(ValueName(unlock, 0), "NONE");
  EXPECT_EQ(ValueName(unlock, 4), "TPM");
  EXPECT_EQ(ValueName(unlock, 0x14), "TPM|PIN");
  EXPECT_EQ(ValueName(unlock, 0x1004), "") << "a bit without a name";
  EXPECT_EQ(ValueName(*FindRecordType(0x000a0007), 1), "HypervisorEnforcedCodeIntegrityEnable");
  EXPECT_EQ(ValueName(*FindRecordType(0x000a0007), 2), "");
  EXPECT_EQ(ValueName(*FindRecordType(0x00050008), 0x10004), "BLOCKIO_PARTITION");
}

// Tags that systemd's boot loader and the Linux EFI stub write, also into PCR 12.
TEST(RecordTypeTable, TagsOfLinuxBootLoadersAreNoRecords) {
  for (const uint32_t tag : {0xf5bc582au, 0x6c46f751u, 0x49dffe0fu, 0xdac08e1au, 0x8f3b22ecu,
                             0x8f3b22edu, 0x00000005u}) {
    EXPECT_FALSE(LooksLikeRecord(tag)) << RecordName(tag);
  }
}

TEST(ReadRecordsTest, ContainersHoldWhatFollowsThem) {
  Bytes inner = RecordBytes(0x00070002, Bytes{0, 0x10, 0, 0});
  const Bytes flag = RecordBytes(0x0007000a, Bytes{1});
  inner.insert(inner.end(), flag.begin(), flag.end());
  Bytes data = RecordBytes(kTrustBoundary, RecordBytes(kLoadedModule, inner));
  const Bytes last = RecordBytes(0x00020002, Bytes{7, 0, 0, 0, 0, 0, 0, 0});
  data.insert(data.end(), last.begin(), last.end());
  const Records read = ReadRecords(data);
  ASSERT_FALSE(read.problem.has_value()) << read.problem->text;
  EXPECT_THAT(
      Outline(read),
      ElementsAre("EVENT_TRUSTBOUNDARY 29", "  EVENT_LOADEDMODULE_AGGREGATION 21",
                  "    EVENT_IMAGESIZE 4", "    EVENT_IMAGEVALIDATED 1", "EVENT_BOOTCOUNTER 8"));
  EXPECT_EQ(read.records[0].end, 4u);
  EXPECT_EQ(read.records[1].end, 4u);
  EXPECT_EQ(read.records[2].AsNumber(), 4096u);
  EXPECT_TRUE(read.records[3].AsBoolean());
  EXPECT_EQ(read.records[4].end, 5u);
}

TEST(ReadRecordsTest, UnknownNumbersAreNotLookedInto) {
  const Records read = ReadRecords(RecordBytes(0x400100ff, RecordBytes(0x00050002, Bytes{1})));
  ASSERT_EQ(read.records.size(), 1u);
  EXPECT_EQ(read.records[0].type, nullptr);
  EXPECT_EQ(read.records[0].data.size(), 9u);
}

TEST(ReadRecordsTest, NothingIsNoRecords) {
  EXPECT_THAT(ReadRecords({}).records, IsEmpty());
  EXPECT_FALSE(ReadRecords({}).problem.has_value());
}

struct BadRow {
  const char* name;
  const char* hex;
  Reason reason;
  const char* says;
};

void PrintTo(const BadRow& row, std::ostream* os) { *os << row.name; }

class ReadRecordsRefuses : public ::testing::TestWithParam<BadRow> {};

TEST_P(ReadRecordsRefuses, AllOfIt) {
  const Bytes data = FromHex(GetParam().hex).value();
  const Records read = ReadRecords(data);
  ASSERT_TRUE(read.problem.has_value());
  EXPECT_EQ(read.problem->reason, GetParam().reason);
  EXPECT_THAT(read.problem->text, HasSubstr(GetParam().says));
  EXPECT_THAT(read.records, IsEmpty()) << "no half of a sentence";
}

constexpr Reason kCut = Reason::kLogTruncated;
INSTANTIATE_TEST_SUITE_P(Malformed, ReadRecordsRefuses,
                         ::testing::ValuesIn(std::vector<BadRow>{
                             {"CutHeader",
                              "02000500"
                              "0100",
                              kCut, "header"},
                             {"CutData",
                              "02000500"
                              "02000000"
                              "01",
                              kCut, "announces 2 bytes, 1 are left"},
                             {"HugeSize",
                              "02000500"
                              "ffffffff"
                              "01",
                              kCut, "announces 4294967295 bytes"},
                             {"ReachesOutOfItsContainer",
                              "01000140"
                              "09000000"
                              "02000500"
                              "02000000"
                              "01"
                              "02000500"
                              "01000000"
                              "01",
                              kCut, "announces 2 bytes, 1 are left"},
                             {"CutHeaderInAContainer",
                              "01000140"
                              "04000000"
                              "02000500"
                              "02000500"
                              "01000000"
                              "01",
                              kCut, "header"},
                             {"BooleanWithoutAByte",
                              "02000500"
                              "00000000",
                              kCut, "EVENT_CODEINTEGRITY is not as long"},
                             {"NumberOfNineBytes",
                              "02000200"
                              "09000000"
                              "000000000000000000",
                              kCut, "EVENT_BOOTCOUNTER is not as long"},
                             {"EnumerationWithoutAByte",
                              "07000a00"
                              "00000000",
                              kCut, "EVENT_VBS_HVCI_POLICY is not"},
                             {"TextOfOddLength",
                              "01000700"
                              "03000000"
                              "410042",
                              Reason::kLogString, "EVENT_FILEPATH is not UTF-16"},
                             {"UnpairedSurrogate",
                              "01000700"
                              "04000000"
                              "00d84100",
                              Reason::kLogString, "UTF-16"},
                             {"GoodThenBad",
                              "02000500"
                              "01000000"
                              "01"
                              "03000500"
                              "01000000",
                              kCut, "EVENT_TESTSIGNING announces 1 bytes, 0 are left"},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Attack, A44_NestedContainersEndAtTheBound) {
  EXPECT_FALSE(ReadRecords(Nested(kTrustPoint, kMaxNesting)).problem.has_value());
  const Records deep = ReadRecords(Nested(kTrustPoint, kMaxNesting + 1));
  ASSERT_TRUE(deep.problem.has_value());
  EXPECT_EQ(deep.problem->reason, Reason::kLogLimit);
  EXPECT_THAT(deep.records, IsEmpty());
}

// Each header announces all that is left: the shape of the published bomb.
TEST(Attack, A44_AMegabyteOfNestedHeadersIsGivenUpAtOnce) {
  bytes::Writer out;
  for (size_t left = kMaxEventData; left >= 8; left -= 8) {
    out.U32Le(0x40010002).U32Le(static_cast<uint32_t>(left - 8));
  }
  const Records read = ReadRecords(out.view());
  ASSERT_TRUE(read.problem.has_value());
  EXPECT_EQ(read.problem->reason, Reason::kLogLimit);
  EXPECT_LE(read.problem->offset, 8 * (kMaxNesting + 1)) << "nothing behind the ninth was read";
}

TEST(Attack, A44_TooManyRecordsInARowAreGivenUp) {
  bytes::Writer out;
  for (size_t i = 0; i <= kMaxRecords; ++i) out.U32Le(0x0005ABCD).U32Le(0);
  const Records read = ReadRecords(out.view());
  ASSERT_TRUE(read.problem.has_value());
  EXPECT_EQ(read.problem->reason, Reason::kLogLimit);
}

struct PlaceRow {
  uint32_t register_index;
  uint32_t type;
  uint32_t id;
  bool holds;
};

TEST(HoldsRecordsTest, ByRegisterTypeAndNumber) {
  for (const PlaceRow& row : {PlaceRow{12, kEvEventTag, kTrustBoundary, true},
                              {13, kEvEventTag, kTrustBoundary, true},
                              {14, kEvEventTag, 0x00060002, true},
                              {19, kEvEventTag, kTrustBoundary, true},
                              {20, kEvEventTag, 0x000c0002, true},
                              {11, kEvEventTag, kTrustBoundary, false},
                              {9, kEvEventTag, 0x8f3b22ec, false},
                              {12, kEvEventTag, 0x6c46f751, false},
                              {12, kEvIpl, kTrustBoundary, false},
                              {44, kEvEventTag, kTrustBoundary, false},
                              {0xffffffff, kEvEventTag, kTrustBoundary, false},
                              {0xffffffff, kEvNoAction, kTrustPoint, true},
                              {12, kEvNoAction, kTrustBoundary, false}}) {
    const Bytes data = RecordBytes(row.id, {});
    Event event;
    event.register_index = row.register_index;
    event.untrusted_type = row.type;
    event.data = data;
    EXPECT_EQ(HoldsRecords(event), row.holds)
        << row.register_index << " " << row.type << " " << RecordName(row.id);
  }
}

// What a real boot of Windows 10 with virtualisation-based security says of itself.
TEST(RealWindowsLog, HoldsWhatItsMachineWasSetTo) {
  const Bytes bytes = testing::CorpusFile("eventlogs/windows-vbs.bin");
  const Log log = Log::Parse(bytes);
  std::map<std::string, std::set<uint64_t>> values;
  size_t tagged = 0;
  for (const Event& event : log.events()) {
    if (!HoldsRecords(event)) continue;
    ++tagged;
    const Records read = ReadRecords(event.data);
    ASSERT_FALSE(read.problem.has_value()) << event.number << ": " << read.problem->text;
    for (const Record& record : read.records) {
      ASSERT_NE(record.type, nullptr) << RecordName(record.id);
      const Form form = record.type->form;
      if (form == Form::kBoolean || form == Form::kNumber || form == Form::kEnumeration) {
        values[RecordName(record.id)].insert(record.AsNumber());
      }
    }
  }
  EXPECT_EQ(tagged, 10u);
  EXPECT_THAT(values["EVENT_BOOTDEBUGGING"], ElementsAre(0));
  EXPECT_THAT(values["EVENT_OSKERNELDEBUG"], ElementsAre(0));
  EXPECT_THAT(values["EVENT_TESTSIGNING"], ElementsAre(0));
  EXPECT_THAT(values["EVENT_CODEINTEGRITY"], ElementsAre(1));
  EXPECT_THAT(values["EVENT_VSM_LAUNCH_TYPE"], ElementsAre(1));
  EXPECT_THAT(values["EVENT_VBS_HVCI_POLICY"], ElementsAre(1));
  EXPECT_THAT(values["EVENT_BOOTCOUNTER"], ElementsAre(206));
  EXPECT_THAT(values["EVENT_TRANSFER_CONTROL"], ElementsAre(1, 5));
}

TEST(RealWindowsLog, TrustPointsThatNobodyMeasuredAreReadToo) {
  const Bytes bytes = testing::CorpusFile("eventlogs/windows-one-digest-of-two.bin");
  const Log log = Log::Parse(bytes);
  const Event& last = log.events().back();
  ASSERT_TRUE(HoldsRecords(last));
  const Records read = ReadRecords(last.data);
  ASSERT_FALSE(read.problem.has_value()) << read.problem->text;
  EXPECT_EQ(RecordName(read.records[0].id), "EVENT_TRUSTPOINT_AGGREGATION");
  EXPECT_EQ(RecordName(read.records[1].id), "EVENT_AIKID");
}

// Every Windows log there is: measured records are read to the last byte, with names.
TEST(WiderCorpusTest, EveryMeasuredRecordOfEveryWindowsLogHasAName) {
  const std::optional<std::string> folder = testing::WiderCorpus();
  if (!folder.has_value()) GTEST_SKIP() << "the wider corpus is not here";
  size_t logs = 0, records = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(*folder + "/eventlogs")) {
    if (!file.is_regular_file()) continue;
    const absl::StatusOr<std::string> text = ReadTextFile(file.path().string(), kMaxLogBytes);
    if (!text.ok()) continue;
    const Log log = Log::Parse(AsBytes(*text));
    size_t here = 0;
    for (const Event& event : log.events()) {
      if (!HoldsRecords(event) || event.untrusted_type != kEvEventTag) continue;
      const Records read = ReadRecords(event.data);
      EXPECT_FALSE(read.problem.has_value()) << file.path() << " event " << event.number;
      for (const Record& record : read.records) {
        EXPECT_NE(record.type, nullptr) << file.path() << " " << RecordName(record.id);
      }
      here += read.records.size();
    }
    if (here != 0) ++logs;
    records += here;
  }
  EXPECT_EQ(logs, 19u);
  EXPECT_GT(records, 10'000u);
}

}  // namespace
}  // namespace bootgate::eventlog::sipa
