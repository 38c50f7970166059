#include "gatekeeper/appraisal/windows_boot.h"

#include <map>

#include "common/bytes/writer.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/sipa/record_type.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using bootgate::testing::LogBuilder;
using bootgate::testing::TpmDigest;
using crypto::HashAlg;
using eventlog::kEvEventTag;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr HashAlg kBank = HashAlg::kSha256;
constexpr uint32_t kQuoted = 0x7fff;  // PCR 0-14
constexpr uint32_t kBootDebugging = 0x00040001, kSafeMode = 0x00050005, kVsmLaunch = 0x00050012,
                   kIommuPolicy = 0x0005000c, kIommuRequired = 0x000a0003;

Bytes Record(uint32_t id, ByteView data) {
  bytes::Writer out;
  out.U32Le(id).U32Le(static_cast<uint32_t>(data.size())).Raw(data);
  return out.Finish();
}

Bytes Boundary(std::vector<Bytes> records) {
  Bytes all;
  for (const Bytes& record : records) all.insert(all.end(), record.begin(), record.end());
  return Record(eventlog::sipa::kTrustBoundary, all);
}

Bytes Flag(uint32_t id, bool value) { return Record(id, Bytes{value ? uint8_t{1} : uint8_t{0}}); }
Bytes Number(uint32_t id, uint8_t value) { return Record(id, Bytes{value, 0, 0, 0, 0, 0, 0, 0}); }

std::vector<TpmDigest> DigestOfSomethingElse() {
  return {{0x000b, ToBytes(crypto::Hash(kBank, AsBytes("other")).view())}};
}

// A log that borrows its bytes, and the facts in it.
struct Told {
  explicit Told(LogBuilder builder, uint32_t proven = kQuoted)
      : bytes(builder.Finish()),
        facts(ReadWindowsFacts(eventlog::Log::Parse(bytes), kBank, proven)) {}
  Bytes bytes;
  WindowsFacts facts;
};

std::map<std::string, bool> Claims(const WindowsFacts& facts, std::vector<Finding>* findings) {
  std::vector<Claim> claims;
  Coverage coverage;
  Notes notes(*findings, claims, coverage);
  ReportWindowsBoot(facts, notes);
  std::map<std::string, bool> values;
  for (const Claim& claim : claims) values[claim.type] = std::get<bool>(claim.value);
  return values;
}

std::map<std::string, bool> Claims(const WindowsFacts& facts) {
  std::vector<Finding> findings;
  return Claims(facts, &findings);
}

TEST(WindowsBootTest, ARealHostWithVbsIsReadRight) {
  const Bytes bytes = bootgate::testing::CorpusFile("eventlogs/windows-vbs.bin");
  const WindowsFacts facts = ReadWindowsFacts(eventlog::Log::Parse(bytes), kBank, kQuoted);
  EXPECT_TRUE(facts.present);
  EXPECT_TRUE(facts.whole);
  EXPECT_THAT(facts.problems, IsEmpty());
  for (const WindowsFlag* const off :
       {&facts.boot_debugging, &facts.kernel_debugging, &facts.hypervisor_debugging,
        &facts.test_signing, &facts.flight_signing, &facts.safe_mode, &facts.win_pe}) {
    ASSERT_TRUE(off->has_value());
    EXPECT_FALSE((*off)->value);
    EXPECT_TRUE((*off)->verified);
  }
  EXPECT_TRUE(facts.code_integrity->value);
  EXPECT_TRUE(facts.vbs_required->value);
  EXPECT_EQ(facts.vsm_launch_type->value, 1u);
  EXPECT_EQ(facts.hvci_policy->value, 1u);
  EXPECT_EQ(facts.hvci_policy->event, 55u);
  EXPECT_EQ(facts.hvci_policy->register_index, 12u);
  EXPECT_EQ(facts.boot_counter->value, 206u);
  EXPECT_FALSE(facts.secure_launch.has_value());
  EXPECT_THAT(Claims(facts),
              UnorderedElementsAre(Pair("bootDebuggingDisabled", true), Pair("notSafeMode", true),
                                   Pair("notWinPE", true), Pair("vbsEnabled", true),
                                   Pair("vbsReportPresent", false)));
}

TEST(WindowsBootTest, ARealHostWithoutVbsIsReadRight) {
  const Bytes bytes = bootgate::testing::CorpusFile("eventlogs/windows-one-digest-of-two.bin");
  const WindowsFacts facts = ReadWindowsFacts(eventlog::Log::Parse(bytes), kBank, kQuoted);
  EXPECT_TRUE(facts.whole);
  EXPECT_FALSE(facts.hvci_policy.has_value());
  EXPECT_EQ(Claims(facts)["vbsEnabled"], false);
}

TEST(WindowsBootTest, WithoutAQuoteNothingIsVerified) {
  const Bytes bytes = bootgate::testing::CorpusFile("eventlogs/windows-vbs.bin");
  const WindowsFacts facts = ReadWindowsFacts(eventlog::Log::Parse(bytes), kBank, 0);
  EXPECT_FALSE(facts.present);
  EXPECT_FALSE(facts.boot_debugging->verified);
  EXPECT_EQ(facts.hvci_policy->value, 1u) << "for people";
  EXPECT_THAT(Claims(facts), IsEmpty());
}

TEST(WindowsBootTest, ALinuxHostGetsNoneOfTheClaims) {
  const Bytes bytes = bootgate::testing::CorpusFile("boots/good/eventlog.bin");
  EXPECT_THAT(Claims(ReadWindowsFacts(eventlog::Log::Parse(bytes), kBank, kQuoted)), IsEmpty());
}

TEST(WindowsBootTest, OfSeveralValuesTheWorstCounts) {
  const Told told(LogBuilder::CryptoAgile({kBank})
                      .Event(12, kEvEventTag, Boundary({Flag(kBootDebugging, false)}))
                      .Event(13, kEvEventTag, Boundary({Flag(kBootDebugging, true)}))
                      .Event(12, kEvEventTag, Boundary({Flag(kBootDebugging, false)})));
  EXPECT_TRUE(told.facts.boot_debugging->value);
  EXPECT_EQ(told.facts.boot_debugging->event, 2u);
  EXPECT_EQ(Claims(told.facts)["bootDebuggingDisabled"], false);
}

// The event that says otherwise, its data exchanged: what is left must not speak for the host.
TEST(Attack, A37_OneEventThatNoDigestCoversTakesBackWhatSpeaksForTheHost) {
  const Told told(
      LogBuilder::CryptoAgile({kBank})
          .Event(12, kEvEventTag, Boundary({Flag(kBootDebugging, false), Flag(kSafeMode, true)}))
          .Event(12, kEvEventTag, Boundary({Flag(kBootDebugging, false)}),
                 DigestOfSomethingElse()));
  EXPECT_FALSE(told.facts.whole);
  EXPECT_FALSE(told.facts.boot_debugging->verified);
  EXPECT_TRUE(told.facts.safe_mode->verified) << "nobody lies to be shut out";
  EXPECT_THAT(Claims(told.facts),
              UnorderedElementsAre(Pair("notSafeMode", false), Pair("vbsReportPresent", false)));
}

TEST(Attack, A36_RecordsUnderAnotherTypeTakeBackWhatSpeaksForTheHost) {
  const Told told(LogBuilder::CryptoAgile({kBank})
                      .Event(12, kEvEventTag, Boundary({Flag(kBootDebugging, false)}))
                      .Event(12, eventlog::kEvSeparator, Boundary({Flag(kBootDebugging, true)})));
  EXPECT_FALSE(told.facts.whole);
  EXPECT_EQ(Claims(told.facts).count("bootDebuggingDisabled"), 0u);
}

TEST(WindowsBootTest, TheSeparatorsThatWindowsWritesAreNoGap) {
  const Told told(LogBuilder::CryptoAgile({kBank})
                      .Event(12, kEvEventTag, Boundary({Flag(kBootDebugging, false)}))
                      .Event(12, eventlog::kEvSeparator, AsBytes("WBCL"))
                      .Event(11, 0x0000000c, Bytes{0xff, 0xff, 0, 0}));
  EXPECT_TRUE(told.facts.whole);
  EXPECT_EQ(Claims(told.facts)["bootDebuggingDisabled"], true);
}

TEST(WindowsBootTest, RegistersThatNobodyQuotedProveNothing) {
  const Told told(LogBuilder::CryptoAgile({kBank}).Event(12, kEvEventTag,
                                                         Boundary({Flag(kBootDebugging, false)})),
                  kQuoted & ~(1u << 12));
  EXPECT_FALSE(told.facts.present);
  EXPECT_THAT(Claims(told.facts), IsEmpty());
}

struct IommuRow {
  const char* name;
  std::vector<Bytes> records;
  std::optional<bool> enabled;
};

TEST(WindowsBootTest, TheIommuIsOnWhereTheLogSaysSo) {
  for (const IommuRow& row : std::vector<IommuRow>{
           {"policy on", {Number(kIommuPolicy, 1)}, true},
           {"policy off", {Number(kIommuPolicy, 2)}, false},
           {"policy default", {Number(kIommuPolicy, 0)}, std::nullopt},
           {"on and off", {Number(kIommuPolicy, 1), Number(kIommuPolicy, 2)}, false},
           {"on and default", {Number(kIommuPolicy, 1), Number(kIommuPolicy, 0)}, std::nullopt},
           {"VBS demands it", {Number(kVsmLaunch, 1), Flag(kIommuRequired, true)}, true},
           {"VBS would", {Number(kVsmLaunch, 0), Flag(kIommuRequired, true)}, std::nullopt},
           {"VBS does not", {Number(kVsmLaunch, 1), Flag(kIommuRequired, false)}, std::nullopt},
       }) {
    const Told told(LogBuilder::CryptoAgile({kBank}).Event(12, kEvEventTag, Boundary(row.records)));
    const auto claims = Claims(told.facts);
    const auto found = claims.find("iommuEnabled");
    EXPECT_EQ(found == claims.end() ? std::nullopt : std::optional<bool>(found->second),
              row.enabled)
        << row.name;
  }
}

TEST(WindowsBootTest, ADynamicLaunchIsSeenInItsRegisters) {
  const Bytes records = Boundary({Record(0x000c0002, Bytes{2})});
  const Told told(LogBuilder::CryptoAgile({kBank}).Event(19, kEvEventTag, records),
                  kQuoted | 1u << 19);
  ASSERT_TRUE(told.facts.secure_launch.has_value());
  EXPECT_TRUE(told.facts.secure_launch->verified);
  EXPECT_EQ(told.facts.smm_level->value, 2u);
}

TEST(Attack, A44_NestedRecordsFail) {
  Bytes data;
  for (int i = 0; i < 9; ++i) data = Record(0x40010002, data);
  const Told told(LogBuilder::CryptoAgile({kBank}).Event(12, kEvEventTag, data));
  std::vector<Finding> findings;
  EXPECT_THAT(Claims(told.facts, &findings), IsEmpty());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, Reason::kLogLimit);
  EXPECT_EQ(findings[0].severity, Severity::kFail);
  EXPECT_EQ(findings[0].register_index, 12u);
  EXPECT_EQ(findings[0].event, 1u);
}

TEST(WindowsBootTest, CutRecordsAreToldAndGiveNothing) {
  const Bytes cut = {0x01, 0x00, 0x01, 0x40, 0xff, 0, 0, 0};
  const Told told(LogBuilder::CryptoAgile({kBank})
                      .Event(12, kEvEventTag, Boundary({Flag(kBootDebugging, false)}))
                      .Event(13, kEvEventTag, cut));
  std::vector<Finding> findings;
  EXPECT_EQ(Claims(told.facts, &findings).count("bootDebuggingDisabled"), 0u);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, Reason::kLogTruncated);
  EXPECT_EQ(findings[0].severity, Severity::kWarning);
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal
