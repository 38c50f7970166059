#include "gatekeeper/host/host.h"

#include <ostream>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::host {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using enum Trust;
using enum OutcomeClass;

constexpr Trust kAllTrusts[] = {kPending,       kTrusted,    kQuarantined,
                                kInvestigating, kRemediated, kRetired};
constexpr OutcomeClass kAllOutcomes[] = {kAdmit, kDeny, kReject, kLimit, kError};

constexpr BootMark kBadBoot = {.reset_count = 7, .restart_count = 2, .clock_ms = 5000};
constexpr BootMark kSameBoot = {.reset_count = 7, .restart_count = 3, .clock_ms = 9000};
constexpr BootMark kLaterBoot = {.reset_count = 8, .restart_count = 0, .clock_ms = 9500};

HostRecord HostThatIs(Trust trust) {
  HostRecord host;
  host.id = "h-00112233445566778899aabbccddeeff";
  host.trust = trust;
  host.quarantined_boot = kBadBoot;
  return host;
}

// What a move must be: the whole table, written out.
struct Row {
  Trust now;
  OutcomeClass outcome;
  bool later_boot;
  Trust next;
  std::vector<Effect> effects;
};

const std::vector<Effect> kIssue = {Effect::kIssueCredential};
const std::vector<Effect> kRelease = {Effect::kIssueCredential, Effect::kNotifyRelease};
const std::vector<Effect> kShutOut = {Effect::kRevokeCredentials, Effect::kOpenIncident,
                                      Effect::kNotifyQuarantine};

std::vector<Row> MovingRows() {
  return {
      {kPending, kAdmit, false, kTrusted, kIssue},
      {kPending, kAdmit, true, kTrusted, kIssue},
      {kTrusted, kAdmit, false, kTrusted, kIssue},
      {kTrusted, kAdmit, true, kTrusted, kIssue},
      {kRemediated, kAdmit, true, kTrusted, kRelease},
      {kPending, kDeny, false, kQuarantined, kShutOut},
      {kPending, kDeny, true, kQuarantined, kShutOut},
      {kTrusted, kDeny, false, kQuarantined, kShutOut},
      {kTrusted, kDeny, true, kQuarantined, kShutOut},
      {kRemediated, kDeny, false, kQuarantined, kShutOut},
      {kRemediated, kDeny, true, kQuarantined, kShutOut},
  };
}

// Every combination that is not in the table above stays where it is and does nothing.
Row Expected(Trust now, OutcomeClass outcome, bool later_boot) {
  for (const Row& row : MovingRows()) {
    if (row.now == now && row.outcome == outcome && row.later_boot == later_boot) return row;
  }
  return {now, outcome, later_boot, now, {}};
}

TEST(NextMove, EveryStateOutcomeAndBootMovesAsTheTableSays) {
  for (const Trust now : kAllTrusts) {
    for (const OutcomeClass outcome : kAllOutcomes) {
      for (const bool later_boot : {false, true}) {
        SCOPED_TRACE(::testing::Message() << Name(now) << " + " << Name(outcome)
                                          << (later_boot ? ", later boot" : ", same boot"));
        const Row expected = Expected(now, outcome, later_boot);
        const Move move = NextMove(HostThatIs(now), outcome, later_boot ? kLaterBoot : kSameBoot);
        EXPECT_EQ(move.next, expected.next);
        EXPECT_EQ(move.effects, expected.effects);
        EXPECT_EQ(move.may_issue, outcome == kAdmit && !expected.effects.empty());
      }
    }
  }
}

TEST(NextMove, RemediatedWithoutAMarkOfTheBadBootWaits) {
  HostRecord host = HostThatIs(kRemediated);
  host.quarantined_boot.reset();
  const Move move = NextMove(host, kAdmit, kLaterBoot);
  EXPECT_EQ(move.next, kRemediated);
  EXPECT_FALSE(move.may_issue);
  EXPECT_THAT(move.effects, IsEmpty());
}

// Whatever a quarantined host sends, in whatever order and boot, it stays quarantined.
TEST(Attack, A81_NoSequenceOfEvidenceLeavesQuarantine) {
  for (const Trust held : {kQuarantined, kInvestigating}) {
    HostRecord host = HostThatIs(held);
    for (uint32_t step = 0; step < 200; ++step) {
      const BootMark boot = {
          .reset_count = 7 + step / 3, .restart_count = step % 3, .clock_ms = 10000 + step};
      const Move move = NextMove(host, kAllOutcomes[step % std::size(kAllOutcomes)], boot);
      ASSERT_EQ(move.next, held);
      ASSERT_FALSE(move.may_issue);
      ASSERT_THAT(move.effects, IsEmpty());
      host.last_boot = boot;
    }
  }
}

TEST(Attack, A82_RefusedEvidenceMovesNobody) {
  for (const Trust now : kAllTrusts) {
    for (const OutcomeClass outcome : {kReject, kLimit, kError}) {
      const Move move = NextMove(HostThatIs(now), outcome, kLaterBoot);
      EXPECT_EQ(move.next, now);
      EXPECT_FALSE(move.may_issue);
      EXPECT_THAT(move.effects, IsEmpty());
    }
  }
}

TEST(HostId, IsThirtyTwoDigitsOfTheDigestOfTheEkName) {
  // SHA-256 of nothing begins with e3b0c442...
  EXPECT_EQ(HostIdFor({}), "h-e3b0c44298fc1c149afbf4c8996fb924");
  EXPECT_TRUE(IsHostId(HostIdFor(AsBytes("some name"))));
}

// The id follows from the EK's Name, so another TPM cannot have it.
TEST(Attack, A24_AnotherEkGivesAnotherHostId) {
  EXPECT_NE(HostIdFor(AsBytes("EK of one TPM")), HostIdFor(AsBytes("EK of two TPM")));
}

TEST(HostId, OtherFormsAreRefused) {
  for (const char* const text :
       {"", "h-", "h-E3B0C44298FC1C149AFBF4C8996FB924", "h-e3b0c44298fc1c149afbf4c8996fb92",
        "h-e3b0c44298fc1c149afbf4c8996fb9244", "g-e3b0c44298fc1c149afbf4c8996fb924",
        "h-e3b0c44298fc1c149afbf4c8996fb92/", "../e3b0c44298fc1c149afbf4c8996fb924"}) {
    EXPECT_FALSE(IsHostId(text)) << text;
  }
}

TEST(TrustName, GoesThereAndBack) {
  for (const Trust trust : kAllTrusts) EXPECT_EQ(TrustFromName(Name(trust)), trust);
  EXPECT_EQ(TrustFromName("Trusted"), std::nullopt);
  EXPECT_EQ(TrustFromName(""), std::nullopt);
}

TEST(LaterBoot, IsAboutTheResetCountAlone) {
  EXPECT_TRUE(IsLaterBoot(kBadBoot, kLaterBoot));
  EXPECT_FALSE(IsLaterBoot(kBadBoot, kSameBoot));
  EXPECT_FALSE(IsLaterBoot(kLaterBoot, kBadBoot));
}

}  // namespace
}  // namespace bootgate::gatekeeper::host
