#include "common/eventlog/coverage.h"

#include "common/base/hex.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using crypto::HashAlg;
using testing::LogBuilder;
using testing::Text;
using testing::Utf16;
using testing::VariableData;

const Bytes kGlobal = *FromHex("61dfe48bca93d211aa0d00e098032b8c");

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

}  // namespace
}  // namespace bootgate::eventlog
