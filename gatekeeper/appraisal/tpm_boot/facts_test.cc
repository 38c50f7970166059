#include "gatekeeper/appraisal/tpm_boot/facts.h"

#include "common/eventlog/log_builder.h"
#include "common/testing/corpus.h"
#include "gatekeeper/appraisal/tpm_boot/claims.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using crypto::HashAlg;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr uint32_t kAll = 0x00ffffff;

struct Read {
  explicit Read(Bytes log_bytes, uint32_t proven = kAll)
      : bytes(std::move(log_bytes)),
        log(eventlog::Log::Parse(bytes)),
        facts(ReadBootFacts(log, HashAlg::kSha256, proven)) {
    Coverage coverage;
    std::vector<Finding> findings;
    Notes notes(findings, claims, coverage);
    AddFactClaims(facts, proven, notes);
  }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;

  std::vector<ClaimValue> Values(absl::string_view type) const {
    std::vector<ClaimValue> out;
    for (const Claim& claim : claims) {
      if (claim.type == type) out.push_back(claim.value);
    }
    return out;
  }

  Bytes bytes;
  eventlog::Log log;
  BootFacts facts;
  std::vector<Claim> claims;
};

Read Good(uint32_t proven = kAll) {
  return Read(::bootgate::testing::CorpusFile("boots/good/eventlog.bin"), proven);
}

TEST(BootFacts, OfACapturedBootNameItsKeysAndWhatRan) {
  const Read good = Good();
  ASSERT_TRUE(good.facts.secure_boot.has_value());
  EXPECT_TRUE(good.facts.secure_boot->value);
  EXPECT_TRUE(good.facts.secure_boot->verified);
  EXPECT_EQ(good.facts.secure_boot->event, 4u);
  std::vector<std::string> lists;
  for (const Fact<KeyEntry>& key : good.facts.keys) {
    EXPECT_TRUE(key.verified);
    EXPECT_THAT(key.value.fingerprint, SizeIs(64));
    EXPECT_THAT(key.value.subject, Not(IsEmpty()));
    EXPECT_THAT(key.value.not_after, SizeIs(10));
    lists.push_back(key.value.list);
  }
  EXPECT_THAT(lists, ElementsAre("PK", "KEK", "KEK", "db", "db"));
  ASSERT_TRUE(good.facts.dbx.has_value());
  EXPECT_EQ(good.facts.dbx->value.entries, 1u);
  EXPECT_THAT(good.facts.loaders, SizeIs(4));
  EXPECT_THAT(good.facts.loaders[0].value.path, HasSubstr("shim"));
  EXPECT_THAT(good.facts.kernels, SizeIs(1));
  EXPECT_THAT(good.facts.initrds, SizeIs(1));
  EXPECT_THAT(good.facts.actions, IsEmpty());
  ASSERT_THAT(good.facts.command_lines, SizeIs(1));
  EXPECT_TRUE(good.facts.command_lines[0].verified);
}

TEST(BootFacts, OfACapturedBootBecomeClaims) {
  const Read good = Good();
  EXPECT_THAT(good.Values("secureBootEnabled"), ElementsAre(ClaimValue(true)));
  EXPECT_THAT(good.Values("uefiDebugModeEnabled"), ElementsAre(ClaimValue(false)));
  EXPECT_THAT(good.Values("kernelCommandLine"), SizeIs(1));
  EXPECT_THAT(good.Values("bootLoaderDigest"), Not(IsEmpty()));
  EXPECT_THAT(good.Values("secureBootAuthorities"),
              Contains(::testing::VariantWith<std::string>(HasSubstr("CN="))));
  EXPECT_THAT(good.Values("sbatLevel"), SizeIs(1));
}

TEST(BootFacts, ChangedCommandLineIsSeen) {
  const Read changed(::bootgate::testing::CorpusFile("boots/cmdline-changed/eventlog.bin"));
  EXPECT_THAT(changed.Values("initOverridden"), ElementsAre(ClaimValue(true)));
  EXPECT_THAT(changed.Values("kaslrDisabled"), ElementsAre(ClaimValue(true)));
  EXPECT_THAT(
      changed.Values("kernelWeakeningOption"),
      ElementsAre(ClaimValue(std::string("init=/bin/bash")), ClaimValue(std::string("nokaslr"))));
}

TEST(BootFacts, WithoutProvenRegistersNothingIsVerifiedAndNothingClaimed) {
  const Read good = Good(0);
  ASSERT_TRUE(good.facts.secure_boot.has_value());
  EXPECT_FALSE(good.facts.secure_boot->verified);
  EXPECT_THAT(good.facts.keys, Each(Field(&Fact<KeyEntry>::verified, false)));
  EXPECT_THAT(good.facts.loaders, Each(Field(&Fact<Image>::verified, false)));
  EXPECT_THAT(good.facts.command_lines, Each(Field(&Fact<std::string>::verified, false)));
  EXPECT_THAT(good.claims, IsEmpty());
}

TEST(BootFacts, EachRegisterProvesItsOwnEventsOnly) {
  const Read good = Good(1u << 8);
  EXPECT_THAT(good.Values("kernelCommandLine"), SizeIs(1));
  EXPECT_THAT(good.Values("secureBootEnabled"), IsEmpty());
  EXPECT_THAT(good.Values("uefiDebugModeEnabled"), IsEmpty());
}

TEST(BootFacts, OfNoLogAreNone) {
  const Read none{Bytes{}};
  EXPECT_FALSE(none.facts.secure_boot.has_value());
  EXPECT_THAT(none.facts.keys, IsEmpty());
}

TEST(BootFacts, KeysOfADuplicateListAreNotClaimed) {
  Bytes bytes = ::bootgate::testing::CorpusFile("boots/good/eventlog.bin");
  const auto events = eventlog::Log::Parse(bytes).events();
  // KEK (event 6) once more, behind PK.
  const Bytes again(bytes.begin() + static_cast<ptrdiff_t>(events[6].offset),
                    bytes.begin() + static_cast<ptrdiff_t>(events[7].offset));
  bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(events[6].offset), again.begin(),
               again.end());
  const Read twice(bytes);
  EXPECT_THAT(twice.Values("secureBootExchangeKey"), IsEmpty());
  EXPECT_THAT(twice.Values("secureBootPlatformKey"), SizeIs(1));
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
