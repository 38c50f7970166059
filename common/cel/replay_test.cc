#include "common/cel/replay.h"

#include "common/base/hex.h"
#include "common/cel/log_builder.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::cel {
namespace {

using ::bootgate::testing::CelBuilder;
using ::bootgate::testing::CorpusFile;
using crypto::Digest;
using crypto::HashAlg;
using registers::RegisterBank;

std::string HexOf(const RegisterBank& bank, uint32_t index) { return bank.Get(index)->hex(); }

// The values were computed by another program.
TEST(CelReplay, LeadsToTheRegistersFromZeros) {
  const Log log = Log::Parse(CorpusFile("cel/systemd-255.cel"));
  const Replay sha256 = ReplayBank(log, RegisterBank(HashAlg::kSha256));
  EXPECT_EQ(sha256.extended, (1u << 11) | (1u << 15));
  EXPECT_EQ(sha256.bank.mask(), sha256.extended);
  EXPECT_EQ(HexOf(sha256.bank, 11),
            "38d2047d0545f701a253005037bd1d1662e5f59388885f9e9443f38e2f23531e");
  EXPECT_EQ(HexOf(sha256.bank, 15),
            "0b851dad913b421fa2211efa3019db4341a7ac872c3fd9bbf47c08795f1d335c");
  const Replay sha1 = ReplayBank(log, RegisterBank(HashAlg::kSha1));
  EXPECT_EQ(HexOf(sha1.bank, 11), "6a5043c73a30327110d492592d8a59132046960a");
  EXPECT_TRUE(sha1.defects.empty());
}

TEST(CelReplay, ContinuesFromWhereTheBootLogEnded) {
  RegisterBank start(HashAlg::kSha256);
  start.Set(4, Digest::Ones(HashAlg::kSha256));
  start.Set(11, Digest::Ones(HashAlg::kSha256));
  const Replay replay =
      ReplayBank(Log::Parse(CelBuilder().Pcr(11, "phase", "ready").Build()), start);
  EXPECT_EQ(replay.extended, 1u << 11);
  EXPECT_EQ(replay.bank.Get(4), Digest::Ones(HashAlg::kSha256));
  EXPECT_EQ(replay.bank.Get(11),
            registers::Extended(Digest::Ones(HashAlg::kSha256),
                                crypto::Hash(HashAlg::kSha256, AsBytes("ready"))));
}

TEST(CelReplay, RecordWithoutTheBanksDigestIsADefect) {
  const Log log = Log::Parse(CelBuilder({HashAlg::kSha256}).Pcr(11, "phase", "ready").Build());
  const Replay replay = ReplayBank(log, RegisterBank(HashAlg::kSha384));
  EXPECT_EQ(replay.extended, 0u);
  EXPECT_EQ(replay.bank.mask(), 0u);
  ASSERT_EQ(replay.defects.size(), 1u);
  EXPECT_EQ(replay.defects[0].reason, Reason::kCelDigests);
  EXPECT_EQ(replay.defects[0].record, 0u);
}

TEST(CelReplay, NvIndicesStandApartFromPcrs) {
  const Log log = Log::Parse(CorpusFile("cel/systemd-262-nvpcr.cel"));
  const Replay pcrs = ReplayBank(log, RegisterBank(HashAlg::kSha256));
  EXPECT_EQ(pcrs.extended, 0x7affu);
  EXPECT_EQ(HexOf(pcrs.bank, 0),
            "3345a4e7857aa5ae65e97702ade84a3755fd6144724779536b5773128676c99c");
  EXPECT_EQ(HexOf(pcrs.bank, 9),
            "de857c0d845781c8218985edf702d8dd261f2006f1a1bcfcba10f056447b03e0");

  const auto nv = ReplayNv(log, HashAlg::kSha256, NvStart::kUnwritten);
  ASSERT_EQ(nv.size(), 2u);
  EXPECT_EQ(nv.at(0x01d10200).untrusted_name, "hardware");
  EXPECT_EQ(nv.at(0x01d10200).extends, 1u);
  EXPECT_EQ(nv.at(0x01d10200).value.hex(),
            "0730afd4b41f0cd400a177f31fac291cc49dc56e54bd4d8af8d55d5910612392");
  EXPECT_EQ(nv.at(0x01d10203).value.hex(),
            "61fe60368cee6d37d9d733241f68cddcecfc99005289f207215e5171acae7169");
  EXPECT_TRUE(ReplayNv(log, HashAlg::kSha384, NvStart::kUnwritten).empty());
}

TEST(CelReplay, InitialisedNvIndexHasZerosExtendedWithZeros) {
  const Digest zeros(HashAlg::kSha256);
  EXPECT_EQ(NvStartValue(HashAlg::kSha256, NvStart::kUnwritten), zeros);
  EXPECT_EQ(NvStartValue(HashAlg::kSha256, NvStart::kInitialised),
            crypto::Hash(HashAlg::kSha256, Bytes(64, 0)));
  const Log log = Log::Parse(CelBuilder().Nv(0x01d1020a, "test", "phase", "schrumpel").Build());
  EXPECT_EQ(ReplayNv(log, HashAlg::kSha256, NvStart::kInitialised).at(0x01d1020a).value,
            registers::Extended(crypto::Hash(HashAlg::kSha256, Bytes(64, 0)),
                                crypto::Hash(HashAlg::kSha256, AsBytes("schrumpel"))));
}

}  // namespace
}  // namespace bootgate::cel
