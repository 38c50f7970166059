#include "gatekeeper/policy/lint.h"

#include "absl/strings/match.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> Found(absl::string_view text) {
  std::vector<std::string> found;
  for (const Warning& warning : Lint(ReadOrThrow(text))) {
    found.push_back(absl::StrCat(warning.code, " ", warning.line, ":", warning.column));
  }
  return found;
}

// Of rules on line 2 of authorizationrules.
std::vector<std::string> Found2(absl::string_view rules) { return Found(Authorizing(rules)); }

constexpr char kSound[] = "[type==\"aikValidated\", value==true] => permit();";

TEST(LintTest, ASoundPolicyIsLeftAlone) { EXPECT_THAT(Found2(kSound), IsEmpty()); }

TEST(LintTest, SaysWhatItFindsWithLineColumnAndTheNearestName) {
  const std::vector<Warning> found =
      Lint(ReadOrThrow(Authorizing("[type==\"secureBootEnable\", value==true] => permit();")));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].code, "L010");  // and so nothing permits
  EXPECT_EQ(found[1].code, "L002");
  EXPECT_THAT(found[1].message, HasSubstr("did you mean \"secureBootEnabled\"?"));
}

TEST(LintTest, ARuleThatPermitsAHostThatProvesNothing) {
  for (const char* const rule : {
           "=> permit();",
           "[type==\"tpmVersion\", value==2] => permit();",
           "[type==\"secureBootEnabled\"] => permit();",
           "[type==\"secureBootEnabled\", value==false] => permit();",
           "[type==\"secureBootEnabled\", value!=true] => permit();",
           "[type==\"kernelDebugEnabled\", value==true] => permit();",
           "![type==\"kernelDebugEnabled\", value==true] => permit();",
           "[type==\"custom:good\", value==true] => permit();",
           "[type==\"events\", issuer==\"AttestationService\"] => permit();",
           "[type==\"kernelCommandLine\", value!=\"quiet\"] => permit();",
           "[value==true, issuer==\"AttestationService\"] => permit();",
           "=> add(type=\"fine\", value=true); [type==\"fine\", value==true] => permit();",
           "c:[type==\"custom:x\"] => add(type=\"fine\", value=c.value);"
           "[type==\"fine\", value==true] => permit();",
           "c:[type==\"events\", issuer==\"AttestationService\"] => add(type=\"all\", "
           "value=JmesPath(c.value, \"Events\")); [type==\"all\"] => permit();",
       }) {
    EXPECT_THAT(Found2(rule), Contains(HasSubstr("L001"))) << rule;
  }
}

TEST(LintTest, ARuleThatPermitsOnEvidenceIsLeftAlone) {
  for (const char* const rule : {
           "[type==\"secureBootEnabled\", value!=false, issuer==\"AttestationService\"] => "
           "permit();",
           "[type==\"testKeysEnrolled\", value==false] => permit();",
           "[type==\"dbxNewestMonth\", value>=202305] => permit();",
           "[type==\"kernelCommandLine\", value==\"quiet\"] => permit();",
           "[type==\"custom:x\"] && [type==\"aikValidated\", value==true] => permit();",
           "[type==\"aikValidated\", value==true] => add(type=\"fine\", value=1);"
           "[type==\"fine\"] => permit();",
           "c:[type==\"events\", issuer==\"AttestationService\"] => add(type=\"on\", "
           "value=JsonToClaimValue(JmesPath(c.value, \"Events[0].x\")));"
           "[type==\"on\", value==true] => permit();",
           "c:[type==\"events\", issuer==\"AttestationService\"] => add(type=\"some\", "
           "value=JmesPath(c.value, \"Events[0].x\")); [type==\"some\", value!=\"null\"] => "
           "permit();",
       }) {
    EXPECT_THAT(Found2(rule), Not(Contains(HasSubstr("L001")))) << rule;
  }
}

struct LintCase {
  const char *rules, *code;
};
void PrintTo(const LintCase& row, std::ostream* os) { *os << row.rules; }
class LintFindsTest : public ::testing::TestWithParam<LintCase> {};

TEST_P(LintFindsTest, OnceAtItsPlace) {
  EXPECT_THAT(Found2(absl::StrCat(kSound, "\n", GetParam().rules)), ElementsAre(GetParam().code));
}

INSTANTIATE_TEST_SUITE_P(
    Rules, LintFindsTest,
    ::testing::ValuesIn(std::vector<LintCase>{
        {"[type==\"noSuchClaim\"] => add(type=\"x\", value=1);", "L002 3:1"},
        {"![type==\"noSuchClaim\"] => deny();", "L002 3:1"},
        {"[value==\"x\"] => add(type=\"y\", value=1);", "L003 3:1"},
        {"=> add(type=\"tpmVersion\", value=1); [type==\"tpmVersion\"] => deny();", "L003 3:37"},
        {"[value==1, value==2] => add(type=\"x\", value=1);", "L005 3:17"},
        {"[value==1, value==2, issuer==\"AttestationService\"] => add(type=\"x\", value=1);",
         "L005 3:17"},
        {"[type==\"sbatLevel\", value>3, value<4] => add(type=\"x\", value=1);", "L005 3:35"},
        {"[type==\"sbatLevel\", value==\"1\", value<4] => add(type=\"x\", value=1);", "L005 3:38"},
        {"[type==\"tpmVersion\", value!=2, value==2] => add(type=\"x\", value=1);", "L005 3:37"},
        {"[type==\"tpmVersion\", issuer==\"Me\"] => add(type=\"x\", value=1);", "L005 3:28"},
        {"[type==\"tpmVersion\", valueType==\"String\", value==2] => add(type=\"x\", value=1);",
         "L005 3:48"},
        {"[type==\"late\"] => add(type=\"x\", value=1); => add(type=\"late\", value=1);",
         "L006 3:1"},
        {"![type==\"tpmVersion\", issuer==\"AttestationPolicy\"] => add(type=\"x\", value=1);",
         "L006 3:1"},
        {"c:[type==\"events\"] => add(type=\"x\", value=JmesPath(c.value, \"Events\"));",
         "L009 3:1"},
        {"[type==\"pcrs\"] => add(type=\"x\", value=1);", "L009 3:1"},
        {"c:[type==\"pcrs\", issuer==\"AttestationService\"] => add(type=\"x\", "
         "value=JmesPath(c.value, \"PCRs[?Index == `16`]\"));",
         "L008 3:89"},
        {"=> add(type=\"q\", value=AppendString(\"Events[?`23`==PcrIndex\", \"]\"));", "L008 3:37"},
    }));

TEST(LintTest, ADenyThatCanNeverFireIsSaidBesideItsReason) {
  EXPECT_THAT(Found2("[type==\"sbatLevel\", value<1, value>1] => deny();\n"
                     "[type==\"aikValidated\", value==true] => permit();"),
              ElementsAre("L005 2:35", "L007 2:42"));
  EXPECT_THAT(Found2("[type==\"secureBoot\", value==false] => deny();\n"
                     "[type==\"aikValidated\", value==true] => permit();"),
              ElementsAre("L002 2:1", "L007 2:39"));
}

TEST(LintTest, NothingIsReachedBehindAnUnconditionalDeny) {
  EXPECT_THAT(Found2("=> deny();\n[type==\"aikValidated\", value==true] => permit();\n=> deny();"),
              ElementsAre("L010 1:1", "L004 3:1", "L004 4:1", "L007 4:4"));
}

TEST(LintTest, RegistersThatAnybodyCanResetInTheMask) {
  const auto mask = [](const char* value) {
    return absl::StrCat(
        "version=1.1;configurationrules{=>issueproperty(type=\"required_pcr_mask\","
        "value=",
        value, ");};authorizationrules{", kSound, "};");
  };
  EXPECT_THAT(Found(mask("65663")), ElementsAre("L008 1:79"));    // 0 to 6, 16
  EXPECT_THAT(Found(mask("8388608")), ElementsAre("L008 1:79"));  // 23
  EXPECT_THAT(Found(mask("65535")), IsEmpty());
}

TEST(LintTest, ManyFindingsOfOneKindAreCut) {
  std::string rules;
  for (int i = 0; i < 500; ++i) rules += "[type==\"x\"] => deny();\n";
  size_t unknown = 0;
  for (const Warning& warning : Lint(ReadOrThrow(Authorizing(rules)))) {
    if (warning.code == "L002") ++unknown;
  }
  EXPECT_EQ(unknown, 100u);
}

TEST(LintTest, OfThePublishedPoliciesThoseThatPermitEveryHostAreNamed) {
  std::vector<std::string> permit_all;
  for (const char* const name :
       {"seed-1-simple", "seed-2-windows-boot", "seed-3-linux-ima", "seed-4-key-attestation"}) {
    const std::string file = testing::CorpusPath(absl::StrCat("policies/", name, ".txt"));
    for (const Warning& warning : Lint(ReadOrThrow(ReadTextFile(file, 1 << 20).value()))) {
      if (warning.code == "L001") permit_all.push_back(name);
      EXPECT_NE(warning.code, "L002") << name << ": " << warning.message;
      EXPECT_NE(warning.code, "L005") << name;
    }
  }
  EXPECT_THAT(permit_all,
              ElementsAre("seed-1-simple", "seed-2-windows-boot", "seed-4-key-attestation"));
}

TEST(LintTest, TheDocumentationListsEveryCode) {
  const std::string page = ReadTextFile(testing::SourcePath("docs/policies.md"), 1 << 20).value();
  for (const LintRow& row : LintRows()) {
    EXPECT_TRUE(absl::StrContains(page, absl::StrCat("| ", row.code, " | ", row.title)))
        << row.code;
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy
