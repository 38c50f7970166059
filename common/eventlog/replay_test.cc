#include "common/eventlog/replay.h"

#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using crypto::HashAlg;
using testing::LogBuilder;
using ::testing::SizeIs;
using testing::Text;

crypto::Digest Sha256(absl::string_view text) {
  return crypto::Hash(HashAlg::kSha256, AsBytes(text));
}

crypto::Digest Locality(uint8_t locality) {
  crypto::Digest value(HashAlg::kSha256);
  value.mutable_view().back() = locality;
  return value;
}

LogBuilder OneBank() { return LogBuilder::CryptoAgile({HashAlg::kSha256}); }

Bytes LocalityData(uint8_t locality) {
  Bytes data = Text(absl::string_view("StartupLocality\0", 16));
  data.push_back(locality);
  return data;
}

crypto::Digest Register0(const Bytes& bytes) {
  return *ReplayBank(Log::Parse(bytes), HashAlg::kSha256).bank.Get(0);
}

TEST(ReplayBank, KnowsOnlyRegistersThatWereExtended) {
  const Bytes bytes = OneBank()
                          .Event(1, kEvEfiAction, Text("a"))
                          .Event(2, kEvNoAction, Text("b"))
                          .Event(14, kEvEfiAction, Text("c"))
                          .Finish();
  EXPECT_EQ(ReplayBank(Log::Parse(bytes), HashAlg::kSha256).bank.mask(), (1u << 1) | (1u << 14));
}

TEST(ReplayBank, RegisterZeroStartsAtTheStartupLocality) {
  for (const uint8_t locality : {uint8_t{0}, uint8_t{3}, uint8_t{4}}) {
    const Bytes bytes = OneBank()
                            .Event(0, kEvNoAction, LocalityData(locality))
                            .Event(0, kEvEfiAction, Text("a"))
                            .Finish();
    EXPECT_EQ(Register0(bytes), registers::Extended(Locality(locality), Sha256("a")));
  }
}

TEST(ReplayBank, OnlyRegisterZeroStartsAtTheLocality) {
  const Bytes bytes =
      OneBank().Event(0, kEvNoAction, LocalityData(3)).Event(1, kEvEfiAction, Text("a")).Finish();
  EXPECT_EQ(ReplayBank(Log::Parse(bytes), HashAlg::kSha256).bank.Get(1),
            registers::Extended(Locality(0), Sha256("a")));
}

TEST(ReplayBank, HcrtmEventMeansLocalityFour) {
  const Bytes bytes = OneBank()
                          .Event(0, kEvEfiHcrtmEvent, Text("HCRTM"))
                          .Event(0, kEvEfiAction, Text("a"))
                          .Finish();
  EXPECT_TRUE(Log::Parse(bytes).hcrtm());
  EXPECT_EQ(Register0(bytes),
            registers::Extended(registers::Extended(Locality(4), Sha256("HCRTM")), Sha256("a")));
}

TEST(ReplayBank, HcrtmEventThatIsNotTheFirstMeansNothing) {
  const Bytes bytes = OneBank()
                          .Event(0, kEvEfiAction, Text("a"))
                          .Event(0, kEvEfiHcrtmEvent, Text("HCRTM"))
                          .Finish();
  EXPECT_FALSE(Log::Parse(bytes).hcrtm());
  EXPECT_EQ(Register0(bytes),
            registers::Extended(registers::Extended(Locality(0), Sha256("a")), Sha256("HCRTM")));
}

constexpr uint32_t kMleHash = 0x404;

TEST(StartOf, DynamicRegistersStartAtOnesWithoutALaunch) {
  const Bytes bytes = OneBank().Event(17, kEvEfiAction, Text("a")).Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(log.dynamic_launch(), std::nullopt);
  for (uint32_t index = 0; index < registers::kCount; ++index) {
    const bool dynamic = index >= 17 && index <= 22;
    EXPECT_EQ(StartOf(log, index), dynamic ? StartValue::kOnes : StartValue::kZeros) << index;
  }
  EXPECT_EQ(ReplayBank(log, HashAlg::kSha256).bank.Get(17),
            registers::Extended(crypto::Digest::Ones(HashAlg::kSha256), Sha256("a")));
}

TEST(StartOf, LaunchSetsDynamicRegistersToZeros) {
  const Bytes bytes = OneBank()
                          .Event(0, kEvEfiAction, Text("firmware"))
                          .Event(0xff, kEvTxtPcrMapping, Text("da"))
                          .Event(17, kEvTxtHashStart, Text("a"))
                          .Event(18, kMleHash, Text("b"))
                          .Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_TRUE(log.defects().empty());
  EXPECT_EQ(log.dynamic_launch(), 3u);
  EXPECT_EQ(StartOf(log, 22), StartValue::kDynamicLaunch);
  EXPECT_EQ(StartOf(log, 23), StartValue::kZeros);
  EXPECT_EQ(ReplayBank(log, HashAlg::kSha256).bank.Get(17),
            registers::Extended(Locality(0), Sha256("a")));
  EXPECT_EQ(Trace(log, HashAlg::kSha256, 18),
            std::vector<crypto::Digest>{registers::Extended(Locality(0), Sha256("b"))});
}

// The firmware's own measurement of its STM has such a type too.
TEST(StartOf, LaunchTypesInOtherRegistersAreNoLaunch) {
  const Bytes bytes = OneBank().Event(0, 0x40e, Text("stm")).Finish();
  const Log log = Log::Parse(bytes);
  EXPECT_EQ(log.dynamic_launch(), std::nullopt);
  EXPECT_EQ(StartOf(log, 17), StartValue::kOnes);
}

TEST(ReplayBankFrom, BeginsWithTheGivenValuesAndElseAsUsual) {
  const Bytes bytes =
      OneBank().Event(0, kEvEfiAction, Text("a")).Event(1, kEvEfiAction, Text("b")).Finish();
  const Log log = Log::Parse(bytes);
  registers::RegisterBank starts(HashAlg::kSha256);
  starts.Set(0, Locality(4));
  starts.Set(5, Locality(4));
  const Replay replay = ReplayBankFrom(log, starts);
  EXPECT_EQ(replay.bank.Get(0), registers::Extended(Locality(4), Sha256("a")));
  EXPECT_EQ(replay.bank.Get(1), registers::Extended(Locality(0), Sha256("b")));
  EXPECT_FALSE(replay.bank.Has(5));
}

TEST(Trace, HasTheValueAfterEachEventOfTheRegister) {
  const Bytes bytes = OneBank()
                          .Event(7, kEvEfiAction, Text("a"))
                          .Event(6, kEvEfiAction, Text("other"))
                          .Event(7, kEvNoAction, Text("note"))
                          .Event(7, kEvEfiAction, Text("b"))
                          .Finish();
  const Log log = Log::Parse(bytes);
  const std::vector<crypto::Digest> trace = Trace(log, HashAlg::kSha256, 7);
  ASSERT_THAT(trace, SizeIs(2));
  EXPECT_EQ(trace[0], registers::Extended(crypto::Digest(HashAlg::kSha256), Sha256("a")));
  EXPECT_EQ(trace[1], *ReplayBank(log, HashAlg::kSha256).bank.Get(7));
}

}  // namespace
}  // namespace bootgate::eventlog
