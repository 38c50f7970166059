#include "common/cel/coverage.h"

#include "common/cel/log_builder.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::cel {
namespace {

using ::bootgate::testing::CelBuilder;
using ::bootgate::testing::CorpusFile;
using crypto::HashAlg;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kAll = 0xffffff;

Coverage CoverageOfOnly(const CelBuilder& builder) {
  const Log log = Log::Parse(builder.Build());
  return CoverageOf(log.records().at(0), HashAlg::kSha256);
}

TEST(CelCoverage, TextIsHashedAsItStands) {
  EXPECT_EQ(CoverageOfOnly(CelBuilder().Pcr(11, "phase", "ready")), Coverage::kCovered);
  EXPECT_EQ(CoverageOfOnly(CelBuilder().Secret(11, "phase", "ready", "shutdown")),
            Coverage::kMismatch);
  // With the zero byte that a C string ends with it is another text.
  EXPECT_EQ(
      CoverageOfOnly(CelBuilder().Secret(11, "phase", "ready", absl::string_view("ready", 6))),
      Coverage::kMismatch);
}

TEST(CelCoverage, VolumeKeysAndUnknownEventsMayMeasureSomethingElse) {
  EXPECT_EQ(CoverageOfOnly(CelBuilder().Secret(15, "volume-key", "cryptsetup:root:", "hmac")),
            Coverage::kNotCovered);
  EXPECT_EQ(CoverageOfOnly(CelBuilder().Secret(15, "of tomorrow", "text", "other")),
            Coverage::kNotCovered);
}

TEST(CelCoverage, BankThatTheRecordLacksCoversNothing) {
  const Log log = Log::Parse(CelBuilder().Pcr(11, "phase", "ready").Build());
  EXPECT_EQ(CoverageOf(log.records()[0], HashAlg::kSha384), Coverage::kNotCovered);
}

TEST(CelFacts, ComeFromProvenRegistersAndCoveredTextsAlone) {
  const Log log = Log::Parse(CorpusFile("cel/systemd-255.cel"));
  const Facts facts = FactsOf(log, HashAlg::kSha256, kAll);
  EXPECT_THAT(facts.phases, ElementsAre("enter-initrd", "leave-initrd", "sysinit", "ready"));
  EXPECT_THAT(facts.machine_ids, ElementsAre("0f1e2d3c4b5a69788796a5b4c3d2e1f0"));
  EXPECT_THAT(facts.file_systems,
              ElementsAre("/:ext4:9d3c6c07-2f5e-4d26-b8c5-1d2c1f0e7a33:root:::"));
  EXPECT_EQ(facts.volume_keys, 1u);

  const Facts without15 = FactsOf(log, HashAlg::kSha256, 1u << 11);
  EXPECT_EQ(without15.phases.size(), 4u);
  EXPECT_THAT(without15.machine_ids, IsEmpty());

  const Log lie =
      Log::Parse(CelBuilder().Secret(15, "machine-id", "machine-id:00", "machine-id:11").Build());
  EXPECT_THAT(FactsOf(lie, HashAlg::kSha256, kAll).machine_ids, IsEmpty());
}

}  // namespace
}  // namespace bootgate::cel
