// A policy that is only reported on: it is told what it would say, and it changes nothing.
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gatekeeper/admission/verdict_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::admission {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the made boots
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

policy::Policy Read(const std::string& text) {
  policy::ParseError error;
  std::optional<policy::Policy> policy = policy::Policy::Read(text, &error);
  EXPECT_TRUE(policy.has_value()) << error.message;
  return *std::move(policy);
}

std::string Rules(const std::string& authorization) {
  return "version=1.2;\nauthorizationrules {\n" + authorization +
         "\n};\nissuancerules { => issue(" + "type=\"seen\", value=true); };\n";
}

class Candidate : public ::testing::Test {
 protected:
  Verdict Judge(const policy::Policy* enforced, const policy::Policy* candidate) const {
    return JudgeAndKeep({.quoted = quoted_,
                         .boot_log = log_,
                         .ima = {},
                         .logs_bound = true,
                         .policy = enforced,
                         .candidate = candidate})
        .verdict;
  }
  // What everybody but the candidate is told.
  static std::string WithoutReport(Verdict verdict) {
    verdict.report.reset();
    return VerdictJson(verdict);
  }
  static std::vector<std::string> Codes(const std::vector<Finding>& findings) {
    std::vector<std::string> codes;
    for (const Finding& finding : findings) codes.emplace_back(Code(finding.code));
    return codes;
  }

  const Bytes log_ = FirmwareLog({HashAlg::kSha256}).Finish();
  const tpm2::QuotedPcrs quoted_ = QuoteOver({Registers(log_, {}, HashAlg::kSha256)});
  const policy::Policy permits_ = Read(Rules("=> permit();"));
  const policy::Policy denies_ = Read(Rules("=> deny();"));
};

TEST_F(Candidate, SaysWhatItWouldHaveSaid) {
  const Verdict strict = Judge(&permits_, &denies_);
  EXPECT_EQ(strict.outcome, OutcomeClass::kAdmit);
  ASSERT_TRUE(strict.report.has_value());
  EXPECT_EQ(strict.report->outcome, OutcomeClass::kDeny);
  EXPECT_EQ(strict.report->policy_id, denies_.id());
  EXPECT_THAT(Codes(strict.report->findings), ElementsAre("POLICY_DENY"));

  const Verdict lenient = Judge(&denies_, &permits_);
  EXPECT_EQ(lenient.outcome, OutcomeClass::kDeny);
  ASSERT_TRUE(lenient.report.has_value());
  EXPECT_EQ(lenient.report->outcome, OutcomeClass::kAdmit);
  EXPECT_TRUE(lenient.report->findings.empty());
}

TEST_F(Candidate, ChangesNothingOfTheVerdict) {
  const policy::Policy reads_all = Read(
      Rules("c:[type==\"events\"] => add(type=\"copied\", value=c.value);\n[type==\"pcrs\"] => "
            "permit();\n![type==\"pcrs\"] => deny();"));
  const std::vector<const policy::Policy*> enforced = {nullptr, &permits_, &denies_, &reads_all};
  for (const policy::Policy* policy : enforced) {
    const std::string alone = WithoutReport(Judge(policy, nullptr));
    for (const policy::Policy* candidate : enforced) {
      EXPECT_EQ(WithoutReport(Judge(policy, candidate)), alone);
    }
  }
}

TEST_F(Candidate, SeesWhatItReadsAndNothingOfTheEnforcedPolicy) {
  const policy::Policy candidate = Read(
      Rules("[type==\"seen\"] => deny();\n[type==\"pcrs\"] && [type==\"events\"] => permit();"));
  const Verdict verdict = Judge(&permits_, &candidate);
  EXPECT_EQ(verdict.report->outcome, OutcomeClass::kAdmit) << VerdictJson(*&verdict, 1);
  EXPECT_THAT(VerdictJson(verdict), Not(HasSubstr("\"events\"")));
}

TEST_F(Candidate, WhatFailedBeforeIsNotMadeGoodByIt) {
  Bytes other = FirmwareLog({HashAlg::kSha256}).Event(4, kEvSeparator, Bytes(4, 0)).Finish();
  const Verdict verdict = JudgeAndKeep({.quoted = quoted_,
                                        .boot_log = other,
                                        .ima = {},
                                        .logs_bound = true,
                                        .policy = &permits_,
                                        .candidate = &permits_})
                              .verdict;
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_EQ(verdict.report->outcome, OutcomeClass::kDeny);
  EXPECT_TRUE(verdict.report->findings.empty()) << "the policy itself found nothing";
}

TEST_F(Candidate, OwnFailureIsItsOwn) {
  const policy::Policy broken =
      Read(Rules("c:[type==\"tpmVersion\"] => add(type=\"x\", value=JsonToClaimValue(\"{\"));"));
  const policy::Policy other_registers = Read(
      "version=1.1;\nconfigurationrules { => issueproperty(type=\"required_pcr_mask\", "
      "value=16777215); };\nauthorizationrules { => permit(); };\n");
  EXPECT_THAT(Codes(Judge(&permits_, &broken).report->findings), ElementsAre("POLICY_ERROR"));
  EXPECT_THAT(Codes(Judge(&permits_, &other_registers).report->findings),
              ElementsAre("POLICY_PCR_MASK"));
  EXPECT_EQ(Judge(&permits_, &broken).outcome, OutcomeClass::kAdmit);
  EXPECT_EQ(Judge(&permits_, &other_registers).outcome, OutcomeClass::kAdmit);
}

TEST_F(Candidate, WithoutAPolicyTheHostIsDeniedAllTheSame) {
  const Verdict verdict = Judge(nullptr, &permits_);
  EXPECT_EQ(verdict.outcome, OutcomeClass::kDeny);
  EXPECT_THAT(Codes(verdict.findings), ElementsAre("NO_POLICY"));
  EXPECT_EQ(verdict.report->outcome, OutcomeClass::kAdmit);
}

TEST_F(Candidate, ReportIsStoredWithTheVerdict) {
  const std::string json = VerdictJson(Judge(&permits_, &denies_));
  EXPECT_THAT(json,
              HasSubstr("\"report\":{\"policy\":\"" + denies_.id() + "\",\"outcome\":\"DENY\""));
  EXPECT_THAT(json, HasSubstr("denies this host"));
  EXPECT_THAT(VerdictJson(Judge(&permits_, nullptr)), Not(HasSubstr("report")));
}

}  // namespace
}  // namespace bootgate::gatekeeper::admission
