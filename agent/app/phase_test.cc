#include "agent/app/phase.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::agent::app {
namespace {

TEST(Phase, EachHasOneNameOneSentenceAndOneWayOut) {
  std::set<absl::string_view> names;
  for (const PhaseInfo& info : AllPhases()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    for (const absl::string_view sentence : {info.meaning, info.way_out}) {
      EXPECT_FALSE(sentence.empty()) << info.name;
      EXPECT_LT(sentence.size(), 160u) << sentence;
    }
    EXPECT_EQ(&Info(info.phase), &info);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(Phase::kFailed) + 1);
}

struct Named {
  const char* name;
  absl::Status status;
  Phase phase;
};
void PrintTo(const Named& row, std::ostream* os) { *os << row.name; }
class PhaseOfTest : public ::testing::TestWithParam<Named> {};

TEST_P(PhaseOfTest, IsWhatTheStatusMeans) {
  EXPECT_EQ(Name(PhaseOf(GetParam().status)), Name(GetParam().phase));
}

absl::Status With(Reason reason, absl::StatusCode code = absl::StatusCode::kFailedPrecondition) {
  return Refuse(code, reason, "");
}

constexpr auto kBusy = absl::StatusCode::kUnavailable;
INSTANTIATE_TEST_SUITE_P(
    Failures, PhaseOfTest,
    ::testing::Values(Named{"Unreachable", absl::UnavailableError(""), Phase::kUnreachable},
                      Named{"Untrusted", With(Reason::kServerAuth), Phase::kUntrusted},
                      Named{"NotApproved", With(Reason::kHostNotApproved), Phase::kNotApproved},
                      Named{"NotBound", With(Reason::kEkNotBound), Phase::kNotApproved},
                      Named{"Refused", With(Reason::kSigInvalid), Phase::kRefused},
                      // Codes that begin with TPM and are the gatekeeper's word about the host.
                      Named{"Marshal", With(Reason::kTpmMarshal), Phase::kRefused},
                      Named{"Clone", With(Reason::kTpmCloneSuspected), Phase::kRefused},
                      Named{"Reset", With(Reason::kTpmResetAnomaly), Phase::kRefused},
                      Named{"Distrusted", With(Reason::kTpmDistrusted), Phase::kRefused},
                      Named{"Vulnerable", With(Reason::kTpmFirmwareVulnerable), Phase::kRefused},
                      Named{"Missing", With(Reason::kTpmMissing, kBusy), Phase::kTpmMissing},
                      Named{"Replaced", With(Reason::kTpmReplaced), Phase::kTpmReplaced},
                      Named{"Hierarchy", With(Reason::kTpmHierarchy), Phase::kTpmHierarchy},
                      Named{"LockedOut", With(Reason::kTpmLockout), Phase::kTpmLockedOut},
                      Named{"Full", With(Reason::kTpmResources), Phase::kTpmFull},
                      Named{"FailureMode", With(Reason::kTpmFailure), Phase::kTpmFailure},
                      Named{"Tampered", With(Reason::kTpmResponseHmac), Phase::kTpmTampered},
                      Named{"Busy", With(Reason::kTpm, kBusy), Phase::kTpmBusy},
                      Named{"Restless", With(Reason::kTpmPcrChanged), Phase::kTpmBusy},
                      Named{"Other", With(Reason::kTpm), Phase::kTpmFailed},
                      Named{"OtherState", With(Reason::kTpmPolicy), Phase::kSealedShut},
                      Named{"OtherKey", With(Reason::kTpmIntegrity), Phase::kSealedShut},
                      Named{"Limit", With(Reason::kTooManyRequests), Phase::kUnreachable},
                      Named{"Corrupt", With(Reason::kStateCorrupt, absl::StatusCode::kDataLoss),
                            Phase::kStateCorrupt},
                      Named{"Unwritable", With(Reason::kStateUnwritable), Phase::kStateUnwritable},
                      Named{"Internal", absl::InternalError(""), Phase::kFailed}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Documentation, ListsEveryPhaseAsTheProgramSaysIt) {
  const std::string page =
      ReadTextFile(testing::SourcePath("docs/identity.md"), 1 << 20).value_or("");
  for (const PhaseInfo& info : AllPhases()) {
    const std::string row =
        absl::StrCat("| ", info.name, " | ", info.meaning, " | ", info.way_out, " |\n");
    EXPECT_THAT(page, ::testing::HasSubstr(row));
  }
}

}  // namespace
}  // namespace bootgate::agent::app
