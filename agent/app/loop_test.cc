#include "agent/app/loop.h"

#include <optional>

#include "common/base/reason.h"
#include "gtest/gtest.h"

namespace bootgate::agent::app {
namespace {

class NextStepTest : public ::testing::Test {
 protected:
  Step After(const absl::Status& status, uint32_t random = 0xffffffff) {
    return NextStep({.status = status, .credential_left = left_}, backoff_, random);
  }
  // A verdict that lets the host in, and asks for it again after `interval`.
  Step Admitted(absl::Duration interval, uint32_t random = 0) {
    return NextStep({.trust = "trusted", .next_attestation = interval, .credential_left = left_},
                    backoff_, random);
  }
  std::optional<absl::Duration> left_;
  Backoff backoff_{{.first = absl::Seconds(1), .most = absl::Seconds(60)}};
};

TEST_F(NextStepTest, FailuresBackOffAndAVerdictResets) {
  EXPECT_EQ(After(absl::UnavailableError("x")).wait, absl::Seconds(1));
  EXPECT_EQ(After(absl::UnavailableError("x")).wait, absl::Seconds(2));
  const Step good = Admitted(absl::Minutes(10));
  EXPECT_EQ(good.phase, Phase::kTrusted);
  EXPECT_EQ(good.wait, absl::Minutes(10));
  EXPECT_EQ(After(absl::UnavailableError("x")).wait, absl::Seconds(1));
}

TEST_F(NextStepTest, WaitsAreSpreadButNeverLongerThanAsked) {
  EXPECT_EQ(Admitted(absl::Minutes(10), 0xffffffff).wait, absl::Minutes(9));
}

TEST_F(NextStepTest, EveryTrustButTrustedDropsTheCredential) {
  for (const char* trust :
       {"quarantined", "investigating", "remediated", "retired", "pending", ""}) {
    const Step step = NextStep({.trust = trust, .next_attestation = absl::Seconds(1)}, backoff_, 0);
    EXPECT_EQ(step.phase, Phase::kQuarantined) << trust;
    EXPECT_TRUE(step.drop_installed) << trust;
  }
}

TEST_F(NextStepTest, ARevokedCertificateIsDroppedAndOtherRefusalsChangeNothing) {
  EXPECT_TRUE(After(NotPermitted(Reason::kPeerCertRevoked, "")).drop_installed);
  EXPECT_TRUE(After(NotPermitted(Reason::kHostRetired, "")).drop_installed);
  EXPECT_FALSE(After(absl::UnavailableError("")).drop_installed);
  EXPECT_FALSE(After(NotAuthentic(Reason::kServerAuth, "")).drop_installed);
  EXPECT_FALSE(After(Malformed(Reason::kSigInvalid, "")).drop_installed);
}

TEST_F(NextStepTest, AnotherTpmTakesItsCredentialsAlong) {
  EXPECT_TRUE(After(Refuse(absl::StatusCode::kFailedPrecondition, Reason::kTpmReplaced, ""))
                  .drop_installed);
  EXPECT_FALSE(
      After(Refuse(absl::StatusCode::kUnavailable, Reason::kTpmMissing, "")).drop_installed)
      << "a TPM that comes back is still the one";
}

TEST_F(NextStepTest, CredentialThatCouldNotBeKeptIsAskedForSoonAgain) {
  const Step step =
      NextStep({.trust = "trusted",
                .next_attestation = absl::Minutes(10),
                .kept = Refuse(absl::StatusCode::kUnavailable, Reason::kStateUnwritable, "")},
               backoff_, 0xffffffff);
  EXPECT_EQ(step.phase, Phase::kStateUnwritable);
  EXPECT_EQ(step.wait, absl::Seconds(1));
  EXPECT_FALSE(step.drop_installed);
  EXPECT_EQ(Admitted(absl::Minutes(10)).phase, Phase::kTrusted);
}

TEST_F(NextStepTest, DenialIsADenialWhateverBecameOfTheFiles) {
  const Step step =
      NextStep({.trust = "quarantined",
                .next_attestation = absl::Minutes(10),
                .kept = Refuse(absl::StatusCode::kUnavailable, Reason::kStateUnwritable, "")},
               backoff_, 0);
  EXPECT_EQ(step.phase, Phase::kQuarantined);
  EXPECT_TRUE(step.drop_installed) << "deleting is tried again";
}

// ---- Renewal: the arithmetic of loop.h

TEST_F(NextStepTest, RenewsAfterTheIntervalOrHalfOfWhatIsLeft) {
  left_ = absl::Hours(1);
  EXPECT_EQ(Admitted(absl::Minutes(10)).wait, absl::Minutes(10));
  EXPECT_EQ(Admitted(absl::Hours(24)).wait, absl::Minutes(30));
  left_ = absl::Minutes(10);
  EXPECT_EQ(Admitted(absl::Minutes(10)).wait, absl::Minutes(5));
  EXPECT_EQ(Admitted(absl::Minutes(10), 0xffffffff).wait, absl::Minutes(4.5));
}

// The gatekeeper goes away just before the next attestation; how long until the credential ends?
absl::Duration Survives(absl::Duration lifetime, absl::Duration interval, uint32_t random) {
  Backoff backoff({});
  const Step step =
      NextStep({.trust = "trusted", .next_attestation = interval, .credential_left = lifetime},
               backoff, random);
  return lifetime - step.wait;
}

TEST(Renewal, LeavesAsMuchAsPromised) {
  for (const uint32_t random : {0u, 0x80000000u, 0xffffffffu}) {
    EXPECT_GE(Survives(absl::Hours(1), absl::Minutes(10), random), absl::Minutes(50));
    EXPECT_GE(Survives(absl::Minutes(70), absl::Minutes(10), random), absl::Hours(1));
    EXPECT_GE(Survives(absl::Hours(1), absl::Hours(24), random), absl::Minutes(30));
  }
}

TEST(Renewal, OutageOfAnHourIsNotNoticedWithALifetimeOfSeventyFiveMinutes) {
  const absl::Duration lifetime = absl::Minutes(75), outage = absl::Hours(1);
  for (uint32_t random = 0; random < 0xf0000000u; random += 0x0fffffffu) {
    Backoff backoff({});
    absl::Duration at = NextStep({.trust = "trusted",
                                  .next_attestation = absl::Minutes(10),
                                  .credential_left = lifetime},
                                 backoff, random)
                            .wait;
    const absl::Duration back_at = at + outage;  // it went away just before this try
    while (at < back_at) {
      at += NextStep({.status = absl::UnavailableError(""), .credential_left = lifetime - at},
                     backoff, random)
                .wait;
    }
    EXPECT_LT(at, lifetime) << random;
  }
}

TEST_F(NextStepTest, TriesCloserTogetherWhenTheCredentialEndsButNotInARush) {
  for (int i = 0; i < 30; ++i) After(absl::UnavailableError(""));
  EXPECT_EQ(After(absl::UnavailableError("")).wait, absl::Seconds(60));
  left_ = absl::Minutes(1);
  EXPECT_EQ(After(absl::UnavailableError("")).wait, absl::Seconds(30));
  for (const absl::Duration left : {absl::Seconds(1), absl::ZeroDuration(), absl::Seconds(-10)}) {
    left_ = left;
    EXPECT_EQ(After(absl::UnavailableError("")).wait, absl::Seconds(5));
  }
}

}  // namespace
}  // namespace bootgate::agent::app
