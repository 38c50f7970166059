#include "common/eventlog/decode/describe.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/decode/uefi_text.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
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
const Bytes kOne = {1};

LogBuilder OneBank() { return LogBuilder::CryptoAgile({HashAlg::kSha256}); }

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
  EXPECT_EQ(load->location, "Acpi(@@@0000,0x0)/\\EFI\\BOOT\\BOOTX64.EFI");
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
