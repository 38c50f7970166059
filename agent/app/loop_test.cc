#include "agent/app/loop.h"

#include "common/base/reason.h"
#include "gtest/gtest.h"

namespace bootgate::agent::app {
namespace {

class NextStepTest : public ::testing::Test {
 protected:
  Step After(const absl::Status& status, uint32_t random = 0xffffffff) {
    return NextStep({.status = status, .trust = "", .next_attestation = absl::ZeroDuration()},
                    backoff_, random);
  }
  Backoff backoff_{{.first = absl::Seconds(1), .most = absl::Seconds(60)}};
};

TEST_F(NextStepTest, FailuresBackOffAndAVerdictResets) {
  EXPECT_EQ(After(absl::UnavailableError("x")).wait, absl::Seconds(1));
  EXPECT_EQ(After(absl::UnavailableError("x")).wait, absl::Seconds(2));
  const Step good = NextStep(
      {.status = absl::OkStatus(), .trust = "trusted", .next_attestation = absl::Minutes(10)},
      backoff_, 0);
  EXPECT_EQ(good.phase, Phase::kTrusted);
  EXPECT_EQ(good.wait, absl::Minutes(10));
  EXPECT_EQ(After(absl::UnavailableError("x")).wait, absl::Seconds(1));
}

TEST_F(NextStepTest, WaitsAreSpreadButNeverLongerThanAsked) {
  const Step step = NextStep(
      {.status = absl::OkStatus(), .trust = "trusted", .next_attestation = absl::Minutes(10)},
      backoff_, 0xffffffff);
  EXPECT_EQ(step.wait, absl::Minutes(9));
}

TEST_F(NextStepTest, EveryTrustButTrustedDropsTheCredential) {
  for (const char* trust :
       {"quarantined", "investigating", "remediated", "retired", "pending", ""}) {
    const Step step =
        NextStep({.status = absl::OkStatus(), .trust = trust, .next_attestation = absl::Seconds(1)},
                 backoff_, 0);
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

TEST_F(NextStepTest, EachFailureHasItsName) {
  EXPECT_EQ(After(absl::UnavailableError("")).phase, Phase::kUnreachable);
  EXPECT_EQ(After(NotAuthentic(Reason::kServerAuth, "")).phase, Phase::kUntrusted);
  EXPECT_EQ(
      After(Refuse(absl::StatusCode::kFailedPrecondition, Reason::kHostNotApproved, "")).phase,
      Phase::kNotApproved);
  EXPECT_EQ(After(Malformed(Reason::kSigInvalid, "")).phase, Phase::kRefused);
  EXPECT_EQ(After(Malformed(Reason::kTpmMarshal, "")).phase, Phase::kRefused)
      << "the gatekeeper's word, not the TPM's";
  EXPECT_EQ(After(Refuse(absl::StatusCode::kInternal, Reason::kTpmLockout, "")).phase,
            Phase::kTpmFailed);
  EXPECT_EQ(After(Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests, "")).phase,
            Phase::kUnreachable);
  EXPECT_EQ(After(Refuse(absl::StatusCode::kDataLoss, Reason::kStateCorrupt, "")).phase,
            Phase::kFailed);
  EXPECT_EQ(After(absl::InternalError("")).phase, Phase::kFailed);
}

}  // namespace
}  // namespace bootgate::agent::app
