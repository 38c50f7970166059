#include "common/eventlog/describe.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/image_load.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/uefi_text.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using crypto::HashAlg;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::LogBuilder;
using ::testing::StartsWith;
using testing::Text;
using testing::Utf16;
using testing::VariableData;

const Bytes kGlobal = *FromHex("61dfe48bca93d211aa0d00e098032b8c");
const Bytes kVendor(16, 0x77);
const Bytes kOne = {1};

LogBuilder OneBank() { return LogBuilder::CryptoAgile({HashAlg::kSha256}); }

std::vector<testing::TpmDigest> HashOf(ByteView hashed) {
  return {{0x0b, ToBytes(crypto::Hash(HashAlg::kSha256, hashed).view())}};
}

// The coverage of one event whose digest is the hash of `hashed`.
Coverage CoverageWith(uint32_t type, ByteView data, ByteView hashed) {
  const Bytes bytes = OneBank().Event(4, type, data, HashOf(hashed)).Finish();
  const Log log = Log::Parse(bytes);
  return CoverageOf(log, log.events().at(1), HashAlg::kSha256);
}

std::optional<bool> StateOf(LogBuilder& builder) {
  const Bytes bytes = builder.Finish();
  return SecureBootState(Log::Parse(bytes), HashAlg::kSha256);
}

TEST(TypeName, NamesKnownTypesAndNumbersOthers) {
  EXPECT_EQ(TypeName(0x80000001), "EV_EFI_VARIABLE_DRIVER_CONFIG");
  EXPECT_EQ(TypeName(13), "EV_IPL");
  EXPECT_EQ(TypeName(0x1234), "UNKNOWN(0x00001234)");
}

struct CoverageRow {
  const char* name;
  uint32_t type;
  std::string data;
  std::string hashed;
  Coverage coverage;
};
void PrintTo(const CoverageRow& row, std::ostream* os) { *os << row.name; }
class CoverageTest : public ::testing::TestWithParam<CoverageRow> {};

TEST_P(CoverageTest, FollowsTheType) {
  const CoverageRow& row = GetParam();
  EXPECT_EQ(CoverageWith(row.type, AsBytes(row.data), AsBytes(row.hashed)), row.coverage);
}

const std::string kNul(1, '\0');
const std::string kBootVariable = std::string(
    AsText(VariableData(kGlobal, Utf16("BootOrder"), Text(absl::string_view("\4\0", 2)))));

INSTANTIATE_TEST_SUITE_P(
    Types, CoverageTest,
    ::testing::ValuesIn(std::vector<CoverageRow>{
        {"SeparatorOfItsData", kEvSeparator, "abcd", "abcd", Coverage::kCovered},
        {"SeparatorOfSomethingElse", kEvSeparator, "abcd", "abce", Coverage::kMismatch},
        {"ActionOfSomethingElse", kEvEfiAction, "boot", "root", Coverage::kMismatch},
        {"BootVariableOfItsContent", kEvEfiVariableBoot, kBootVariable, std::string("\4\0", 2),
         Coverage::kCovered},
        {"BootVariableOfTheWholeEvent", kEvEfiVariableBoot, kBootVariable, kBootVariable,
         Coverage::kCovered},
        {"BootVariableOfSomethingElse", kEvEfiVariableBoot, kBootVariable, "x",
         Coverage::kMismatch},
        {"DriverConfigOfItsContentOnly", kEvEfiVariableDriverConfig, kBootVariable,
         std::string("\4\0", 2), Coverage::kMismatch},
        {"DriverConfigOfTheWholeEvent", kEvEfiVariableDriverConfig, kBootVariable, kBootVariable,
         Coverage::kCovered},
        {"GrubCommandWithoutLabelAndNul", kEvIpl, "grub_cmd: linux /vmlinuz" + kNul,
         "linux /vmlinuz", Coverage::kCovered},
        {"CommandLineWithoutLabelAndNul", kEvIpl, "kernel_cmdline: /vmlinuz quiet" + kNul,
         "/vmlinuz quiet", Coverage::kCovered},
        {"BootLoaderTextWithNul", kEvIpl, "text" + kNul, "text" + kNul, Coverage::kCovered},
        {"BootLoaderTextWithoutNul", kEvIpl, "text" + kNul, "text", Coverage::kCovered},
        {"BootLoaderNamesAFile", kEvIpl, "/boot/grub.cfg" + kNul, "set timeout=0",
         Coverage::kNotCovered},
        {"ImageLoadDescribes", kEvEfiBootServicesApplication, "path", "image",
         Coverage::kNotCovered},
        {"FirmwareBlobDescribes", kEvEfiPlatformFirmwareBlob, "base, size", "firmware",
         Coverage::kNotCovered},
        {"TagDescribes", kEvEventTag, "LOADED_IMAGE::LoadOptions", "options",
         Coverage::kNotCovered},
        {"NoActionIsNeverCovered", kEvNoAction, "note", "note", Coverage::kNotCovered},
        {"UnknownTypeOfItsData", 0x40e, "data", "data", Coverage::kCovered},
        {"UnknownTypeOfSomethingElse", 0x40e, "data", "x", Coverage::kNotCovered},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Attack, A37_ChangedCommandLineTextIsNotCovered) {
  EXPECT_EQ(CoverageWith(kEvIpl, AsBytes("kernel_cmdline: /vmlinuz lockdown=integrity"),
                         AsBytes("/vmlinuz lockdown=none")),
            Coverage::kNotCovered);
}

TEST(DecodeUefiVariable, ReadsItsParts) {
  const Bytes data = VariableData(kGlobal, Utf16("SecureBoot"), kOne);
  const Bytes bytes = OneBank().Event(7, kEvEfiVariableDriverConfig, data).Finish();
  const Log log = Log::Parse(bytes);
  const auto variable = DecodeUefiVariable(log.events().at(1));
  ASSERT_TRUE(variable.has_value());
  EXPECT_EQ(variable->guid, "8BE4DF61-93CA-11D2-AA0D-00E098032B8C");
  EXPECT_EQ(variable->name, "SecureBoot");
  EXPECT_EQ(ToHex(variable->data), "01");
}

TEST(Attack, A40_VariableSizesThatLieAreNotFollowed) {
  for (const uint64_t name_units : {uint64_t{6}, uint64_t{1} << 31, ~uint64_t{0}}) {
    bytes::Writer data;
    data.Raw(kGlobal).U64Le(name_units).U64Le(1).Raw(Utf16("Setup")).U8(1);
    const Bytes bytes = OneBank().Event(7, kEvEfiVariableDriverConfig, data.view()).Finish();
    const Log log = Log::Parse(bytes);
    EXPECT_FALSE(DecodeUefiVariable(log.events().at(1)).has_value()) << name_units;
  }
}

TEST(Attack, A45_BrokenUtf16IsNoName) {
  EXPECT_EQ(Utf8FromUtf16(*FromHex("410042")), std::nullopt);          // odd length
  EXPECT_EQ(Utf8FromUtf16(*FromHex("00d84100")), std::nullopt);        // high alone
  EXPECT_EQ(Utf8FromUtf16(*FromHex("00d8")), std::nullopt);            // high at the end
  EXPECT_EQ(Utf8FromUtf16(*FromHex("00dc00d8")), std::nullopt);        // the wrong way round
  EXPECT_EQ(Utf8FromUtf16(*FromHex("3dd800de")), "\xf0\x9f\x98\x80");  // a pair
  EXPECT_EQ(Utf8FromUtf16(*FromHex("e400ac20")), "\xc3\xa4\xe2\x82\xac");
  EXPECT_EQ(Utf8FromUtf16(*FromHex("410000004200")), std::string("A\0B", 3));
}

TEST(SecureBootState, IsWhatTheCoveredVariableSays) {
  for (const uint8_t value : {uint8_t{0}, uint8_t{1}}) {
    LogBuilder log = OneBank();
    log.Event(7, kEvEfiVariableDriverConfig,
              VariableData(kGlobal, Utf16("SecureBoot"), Bytes{value}));
    EXPECT_EQ(StateOf(log), value == 1);
  }
}

TEST(SecureBootState, IsUnknownWithoutTheVariable) {
  LogBuilder log = OneBank();
  log.Event(7, kEvSeparator, Bytes(4, 0));
  EXPECT_EQ(StateOf(log), std::nullopt);
}

struct StateRow {
  const char* name;
  Bytes guid;
  Bytes utf16_name;
  Bytes value;
  uint32_t index;
  uint32_t type;
};
void PrintTo(const StateRow& row, std::ostream* os) { *os << row.name; }
class NotSecureBoot : public ::testing::TestWithParam<StateRow> {};

TEST_P(NotSecureBoot, IsNotTaken) {
  const StateRow& row = GetParam();
  LogBuilder log = OneBank();
  log.Event(row.index, row.type, VariableData(row.guid, row.utf16_name, row.value));
  EXPECT_EQ(StateOf(log), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    Attack, NotSecureBoot,
    ::testing::ValuesIn(std::vector<StateRow>{
        {"A45_VendorGuid", kVendor, Utf16("SecureBoot"), kOne, 7, kEvEfiVariableDriverConfig},
        {"A45_Prefix", kGlobal, Utf16("Secure"), kOne, 7, kEvEfiVariableDriverConfig},
        {"A45_LongerName", kGlobal, Utf16("SecureBootX"), kOne, 7, kEvEfiVariableDriverConfig},
        {"A45_NulInName", kGlobal, Utf16(absl::string_view("SecureBoot\0", 11)), kOne, 7,
         kEvEfiVariableDriverConfig},
        {"A39_OtherRegister", kGlobal, Utf16("SecureBoot"), kOne, 1, kEvEfiVariableDriverConfig},
        {"A36_OtherType", kGlobal, Utf16("SecureBoot"), kOne, 7, kEvEfiVariableAuthority},
        {"TwoBytes", kGlobal, Utf16("SecureBoot"), Bytes{1, 0}, 7, kEvEfiVariableDriverConfig},
        {"NoByte", kGlobal, Utf16("SecureBoot"), Bytes{}, 7, kEvEfiVariableDriverConfig},
        {"NeitherOnNorOff", kGlobal, Utf16("SecureBoot"), Bytes{2}, 7, kEvEfiVariableDriverConfig},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Attack, A37_SecureBootThatNoDigestCoversIsNotTaken) {
  const Bytes on = VariableData(kGlobal, Utf16("SecureBoot"), kOne);
  const Bytes off = VariableData(kGlobal, Utf16("SecureBoot"), Bytes{0});
  LogBuilder log = OneBank();
  log.Event(7, kEvEfiVariableDriverConfig, on, HashOf(off));
  EXPECT_EQ(StateOf(log), std::nullopt);
}

TEST(Attack, A39_SecondSecureBootMakesTheStateUnknown) {
  const Bytes on = VariableData(kGlobal, Utf16("SecureBoot"), kOne);
  const Bytes off = VariableData(kGlobal, Utf16("SecureBoot"), Bytes{0});
  LogBuilder log = OneBank();
  log.Event(7, kEvEfiVariableDriverConfig, off).Event(7, kEvEfiVariableDriverConfig, on);
  EXPECT_EQ(StateOf(log), std::nullopt);
}

TEST(Attack, A39_SecureBootAfterTheSeparatorIsNotTaken) {
  LogBuilder log = OneBank();
  log.Event(7, kEvSeparator, Bytes(4, 0))
      .Event(7, kEvEfiVariableDriverConfig, VariableData(kGlobal, Utf16("SecureBoot"), kOne));
  EXPECT_EQ(StateOf(log), std::nullopt);
}

Bytes ImageLoadData(ByteView path) {
  bytes::Writer out;
  out.U64Le(0x1000).U64Le(913408).U64Le(0).U64Le(path.size()).Raw(path);
  return out.Finish();
}

TEST(DecodeImageLoad, JoinsTheFilePath) {
  bytes::Writer path;
  const Bytes name = Utf16(absl::string_view("\\EFI\\BOOT\\BOOTX64.EFI\0", 22));
  path.U8(2).U8(1).U16Le(12).Raw(Bytes(8, 0));
  path.U8(4).U8(4).U16Le(static_cast<uint16_t>(4 + name.size())).Raw(name);
  path.U8(0x7f).U8(0xff).U16Le(4);
  const auto load = DecodeImageLoad(ImageLoadData(path.view()));
  ASSERT_TRUE(load.has_value());
  EXPECT_EQ(load->size, 913408u);
  EXPECT_EQ(load->file_path, "\\EFI\\BOOT\\BOOTX64.EFI");
  EXPECT_EQ(load->location, "Node(2,1)");
}

TEST(Attack, A44_DevicePathNodesThatDoNotMoveForwardEndThePath) {
  bytes::Writer path;
  path.U8(1).U8(1).U16Le(0).Raw(Bytes(100, 1));
  const auto load = DecodeImageLoad(ImageLoadData(path.view()));
  ASSERT_TRUE(load.has_value());
  EXPECT_EQ(load->location, "");
}

TEST(Attack, A44_DevicePathLongerThanTheEventIsRefused) {
  bytes::Writer out;
  out.U64Le(0).U64Le(0).U64Le(0).U64Le(~uint64_t{0}).U8(1);
  EXPECT_FALSE(DecodeImageLoad(out.view()).has_value());
}

std::vector<std::string> Lines(const Log& log) {
  std::vector<std::string> lines;
  for (const Event& event : log.events()) lines.push_back(Describe(log, event, HashAlg::kSha256));
  return lines;
}

std::vector<std::string> Keys(const Log& log) {
  std::vector<std::string> keys;
  for (const Event& event : log.events()) keys.push_back(PairingKey(event));
  return keys;
}

TEST(Describe, TellsARealBoot) {
  const Bytes bytes = testing::CorpusFile("boots/good/eventlog.bin");
  const std::vector<std::string> lines = Lines(Log::Parse(bytes));
  EXPECT_THAT(lines, Contains("Spec ID event, 3 banks"));
  EXPECT_THAT(lines, Contains("SecureBoot = 01 (on)"));
  EXPECT_THAT(lines, Contains(StartsWith("kernel command line: /vmlinuz-6.1")));
  EXPECT_THAT(lines, Contains(HasSubstr("\\EFI\\debian\\shimx64.efi (not covered by the digest)")));
  EXPECT_THAT(lines, Contains("Exit Boot Services Invocation"));
  EXPECT_THAT(lines, Each(Not(HasSubstr("contradicted"))));
}

TEST(Describe, EscapesWhatTheHostWrote) {
  const Bytes bytes = OneBank().Event(4, kEvEfiAction, Text("a\x1b[2J\nb")).Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(Describe(log, log.events().at(1), HashAlg::kSha256), "a\\x1b[2J\\x0ab");
}

TEST(PairingKey, PairsTheSameThingOfTwoBoots) {
  const Bytes good = testing::CorpusFile("boots/good/eventlog.bin");
  const Bytes changed = testing::CorpusFile("boots/cmdline-changed/eventlog.bin");
  const std::vector<std::string> keys = Keys(Log::Parse(good));
  EXPECT_EQ(keys, Keys(Log::Parse(changed)));
  EXPECT_THAT(keys, Contains("var:SecureBoot"));
  EXPECT_THAT(keys, Contains("ipl:kernel_cmdline"));
  EXPECT_THAT(keys, Contains("authority:db"));
  EXPECT_THAT(keys, Contains("ipl:MokList"));
  EXPECT_THAT(keys, Contains(HasSubstr("shimx64.efi")));
}

}  // namespace
}  // namespace bootgate::eventlog
