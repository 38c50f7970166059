#include "common/eventlog/decode/secure_boot.h"

#include "common/base/hex.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using crypto::HashAlg;
using testing::LogBuilder;
using testing::Utf16;
using testing::VariableData;

const Bytes kGlobal = *FromHex("61dfe48bca93d211aa0d00e098032b8c");
const Bytes kVendor(16, 0x77);
const Bytes kOne = {1};

LogBuilder OneBank() { return LogBuilder::CryptoAgile({HashAlg::kSha256}); }

std::vector<testing::TpmDigest> HashOf(ByteView hashed) {
  return {{0x0b, ToBytes(crypto::Hash(HashAlg::kSha256, hashed).view())}};
}

std::optional<bool> StateOf(LogBuilder& builder) {
  const Bytes bytes = builder.Finish();
  return SecureBootState(Log::Parse(bytes), HashAlg::kSha256);
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

}  // namespace
}  // namespace bootgate::eventlog
