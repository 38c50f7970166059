#include "gatekeeper/policy/policy.h"

#include <filesystem>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gatekeeper/policy/lint.h"
#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using ::testing::IsEmpty;

Policy Sample(absl::string_view name) {
  const auto text =
      ReadTextFile(absl::StrCat(testing::SourcePath("deploy/policies/"), name, ".policy"), 1 << 20);
  if (!text.ok()) throw std::runtime_error(text.status().ToString());
  return ReadOrThrow(*text);
}

TEST(PolicyTest, TheIdIsTheDigestOfTheText) {
  const Policy policy = ReadOrThrow("version=1.0;authorizationrules{};");
  EXPECT_EQ(policy.text(), "version=1.0;authorizationrules{};");
  EXPECT_EQ(policy.id(), "8bad46ebde14687bed42385b37b50749a2edb4ca776a5645e2aba884d9cf4279");
}

TEST(PolicyTest, WithoutConfigurationTheDefaultsHold) {
  const Policy policy = ReadOrThrow("version=1.0;authorizationrules{};");
  EXPECT_TRUE(policy.configuration().require_valid_aik_cert);
  EXPECT_EQ(policy.configuration().required_pcr_mask, kAllPcrs);
  EXPECT_THAT(policy.configuration().settings, IsEmpty());
}

TEST(PolicyTest, TheLastSettingOfANameHolds) {
  const Policy policy = ReadOrThrow(
      "version=1.1;configurationrules{"
      "=>issueproperty(type=\"required_pcr_mask\",value=1);"
      "=>issueproperty(value=false,type=\"require_valid_aik_cert\",valueType=\"Boolean\");"
      "=>issueproperty(type=\"required_pcr_mask\",value=15);};authorizationrules{};");
  EXPECT_FALSE(policy.configuration().require_valid_aik_cert);
  EXPECT_EQ(policy.configuration().required_pcr_mask, 15u);
  EXPECT_EQ(policy.configuration().settings.size(), 2u);
}

TEST(PolicyTest, CopiesShareAndEvaluateAlike) {
  const Policy policy = Sample("baseline");
  const Policy copy = policy;
  EXPECT_EQ(&policy.program(), &copy.program());
}

Policy WithRule(const std::string& rule) {
  return ReadOrThrow("version=1.2;authorizationrules{" + rule + "};");
}

TEST(ReadsTest, ConditionsThatNameTheirTypeReadNoOther) {
  const Policy policy = ReadOrThrow(
      "version=1.2;authorizationrules{c:[type==\"events\", issuer==\"AttestationService\"] && "
      "![value==true, type==\"tpmVersion\"]=>permit();};"
      "issuancerules{c:[type==\"pcrs\"]=>issue(type=\"here\", value=true);};");
  for (const char* const read : {"events", "tpmVersion", "pcrs"}) {
    EXPECT_TRUE(policy.Reads(read)) << read;
  }
  for (const char* const other : {"here", "bootEvents", "event", "Events", ""}) {
    EXPECT_FALSE(policy.Reads(other)) << other;
  }
}

TEST(ReadsTest, WithoutConditionsNothingIsRead) {
  EXPECT_FALSE(WithRule("=>permit();").Reads("events"));
}

TEST(ReadsTest, ConditionsThatLeaveTheTypeOpenReadEverything) {
  for (const char* const rule :
       {"[value==true]=>permit();", "[type!=\"events\"]=>permit();", "![value==1]=>deny();",
        "[issuer==\"AttestationService\"]=>permit();",
        "c:[type==\"a\"] && [type==c.value]=>permit();",
        "[type==AppendString(\"eve\", \"nts\")]=>permit();"}) {
    EXPECT_TRUE(WithRule(rule).Reads("events")) << rule;
  }
}

struct SampleRow {
  const char* policy;
  std::vector<Claim> claims;
  const char* outcome;
};

TEST(SamplePolicyTest, DecidesAsItsHeaderSays) {
  const Claim aik = Proven("aikValidated", true), on = Proven("secureBootEnabled", true),
              off = Proven("secureBootEnabled", false), replayed = Proven("bootLogReplayed", true),
              matched = Proven("referenceMatched", true), ima = Proven("imaReplayed", true),
              ima_off = Proven("imaReplayed", false);
  for (const SampleRow& row : {
           SampleRow{"baseline", {aik}, "permit"},
           {"baseline", {aik, on}, "permit"},
           {"baseline", {aik, off}, "deny 9"},
           {"baseline", {on}, "deny"},
           {"baseline", {Proven("aikValidated", false), on}, "deny"},
           {"secure-boot", {aik, on}, "permit"},
           {"secure-boot", {aik}, "deny"},
           {"secure-boot", {aik, off}, "deny"},
           {"secure-boot", {on}, "deny"},
           {"measured-boot", {aik, on, replayed, matched}, "permit"},
           {"measured-boot", {aik, on, replayed, matched, ima}, "permit"},
           {"measured-boot", {aik, on, replayed, matched, ima_off}, "deny 10"},
           {"measured-boot", {aik, on, replayed}, "deny"},
           {"measured-boot", {aik, on, replayed, Proven("referenceMatched", false)}, "deny"},
       }) {
    EXPECT_EQ(OutcomeOf(Evaluate(Sample(row.policy), row.claims)), row.outcome) << row.policy;
  }
}

TEST(SamplePolicyTest, IsReadWithoutWarningsAndTheLinterFindsNothing) {
  size_t read = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::SourcePath("deploy/policies"))) {
    if (entry.path().extension() != ".policy") continue;
    const Policy policy = Sample(entry.path().stem().string());
    EXPECT_THAT(policy.warnings(), IsEmpty()) << entry.path();
    for (const Warning& found : Lint(policy)) {
      ADD_FAILURE() << entry.path() << ":" << found.line << ": " << found.code << " "
                    << found.message;
    }
    ++read;
  }
  EXPECT_GE(read, 13u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy
