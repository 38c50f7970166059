// What findings come to, and waivers, in the judgement itself.
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gatekeeper/admission/verdict_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::admission {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the made boots
using ::testing::HasSubstr;
using ::testing::Not;

policy::Policy PermitsAll() {
  policy::ParseError error;
  return *policy::Policy::Read(
      "version=1.2;\nauthorizationrules { => permit(); };\nissuancerules { };\n", &error);
}

// The quote is over other registers than the log leads to: LOG_PCR_MISMATCH and its kin.
class Judging : public ::testing::Test {
 protected:
  Judging() {
    registers::RegisterBank bank = Registers(log_, {}, HashAlg::kSha256);
    EXPECT_TRUE(bank.Extend(4, crypto::Hash(HashAlg::kSha256, AsBytes("not in the log"))));
    moved_.emplace(QuoteOver({bank}));
  }
  Verdict Judge(const softening::Softening* softening) const {
    return admission::Judge({.quoted = *moved_,
                             .boot_log = log_,
                             .ima = {},
                             .logs_bound = true,
                             .policy = &permits_,
                             .softening = softening});
  }
  // The codes that fail by default.
  std::vector<std::string> Failing() const {
    std::vector<std::string> codes;
    for (const Finding& finding : Judge(nullptr).findings) {
      if (finding.severity == Severity::kFail) codes.emplace_back(Code(finding.code));
    }
    std::ranges::sort(codes);
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    return codes;
  }

  const Bytes log_ = FirmwareLog({HashAlg::kSha256}).Finish();
  std::optional<tpm2::QuotedPcrs> moved_;
  const policy::Policy permits_ = PermitsAll();
};

TEST_F(Judging, WithoutSofteningWhatFailsIsolates) {
  ASSERT_FALSE(Failing().empty());
  const Verdict verdict = Judge(nullptr);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(softening::WorstAction(verdict.findings), Action::kIsolate);
  EXPECT_THAT(VerdictJson(verdict), HasSubstr(R"("action":"isolate")"));
}

TEST_F(Judging, WhatIsOnlyRestrictedIsADenyThatRestricts) {
  const softening::Softening softening = {softening::ReadActions({.restrict = Failing()}).value(),
                                          {}};
  const Verdict verdict = Judge(&softening);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(softening::WorstAction(verdict.findings), Action::kRestrict);
  EXPECT_THAT(VerdictJson(verdict), HasSubstr(R"("action":"restrict")"));
}

TEST_F(Judging, WhatIsObservedIsAWarningOfAnAdmit) {
  const softening::Softening softening = {softening::ReadActions({.observe = Failing()}).value(),
                                          {}};
  const Verdict verdict = Judge(&softening);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit) << VerdictJson(verdict, 2);
  EXPECT_THAT(VerdictJson(verdict), HasSubstr(R"("action":"observe")"));
  EXPECT_THAT(VerdictJson(verdict), HasSubstr("Only observed, by configuration."));
}

TEST_F(Judging, AWaiverTurnsItsFindingsIntoWarningsThatNameIt) {
  softening::Waiver waiver;
  waiver.id = "w-0011223344556677";
  for (const std::string& code : Failing()) {
    waiver.findings.emplace_back();
    waiver.findings.back().code = *ReasonFromCode(code);
  }
  const softening::Softening softening = {{}, {waiver}};
  const Verdict verdict = Judge(&softening);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kAdmit) << VerdictJson(verdict, 2);
  EXPECT_THAT(VerdictJson(verdict), HasSubstr(R"("waiver":"w-0011223344556677")"));
}

TEST_F(Judging, OneFindingThatIsNotSoftenedDenies) {
  std::vector<std::string> codes = Failing();
  codes.pop_back();
  const softening::Softening softening = {softening::ReadActions({.observe = codes}).value(), {}};
  EXPECT_EQ(Judge(&softening).outcome, OutcomeClass::kDeny);
}

TEST_F(Judging, NoPolicyIsADenyThatIsolatesWhateverElseIsSoftened) {
  softening::Softening softening = {softening::ReadActions({.observe = Failing()}).value(), {}};
  softening.actions.otherwise = Action::kObserve;  // no configuration says that
  softening.waivers.emplace_back();
  softening.waivers[0].findings.emplace_back();
  softening.waivers[0].findings[0].code = Reason::kNoPolicy;
  const Verdict verdict = admission::Judge({.quoted = *moved_,
                                            .boot_log = log_,
                                            .ima = {},
                                            .logs_bound = true,
                                            .softening = &softening});
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(softening::WorstAction(verdict.findings), Action::kIsolate);
}

}  // namespace
}  // namespace bootgate::gatekeeper::admission
