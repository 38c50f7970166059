#include "gatekeeper/policy/evaluator.h"

#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The outcome of one permitting condition list on these claims.
std::string Tested(absl::string_view conditions, const std::vector<Claim>& claims) {
  return OutcomeOf(
      Evaluate(ReadOrThrow(Authorizing(absl::StrCat(conditions, " => permit();"))), claims));
}

// "TYPE=VALUE" of the outgoing set; the outcome when it is no permit.
std::vector<std::string> Issued(absl::string_view rules, const std::vector<Claim>& claims) {
  const Evaluation evaluation = Evaluate(ReadOrThrow(Issuing(rules)), claims);
  if (evaluation.decision != Decision::kPermit) return {OutcomeOf(evaluation)};
  std::vector<std::string> out;
  for (const Claim& claim : evaluation.outgoing) {
    out.push_back(absl::StrCat(claim.type, "=", DisplayText(claim.value)));
  }
  return out;
}

TEST(AuthorizationTest, AnEmptySectionPermitsNothing) {
  const Evaluation evaluation = Evaluate(ReadOrThrow(Authorizing("")), kNoClaims);
  EXPECT_EQ(evaluation.decision, Decision::kDeny);
  EXPECT_EQ(evaluation.deny_rule_line, std::nullopt);
}

TEST(AuthorizationTest, DenyWinsWhereverItStandsAndNamesItsRule) {
  EXPECT_EQ(OutcomeOf(Evaluate(ReadOrThrow(Authorizing("=>permit();\n=>deny();\n=>permit();")),
                               kNoClaims)),
            "deny 3");
}

TEST(AuthorizationTest, NoRuleAfterADenyRuns) {
  const Policy policy =
      ReadOrThrow(Authorizing("=> deny();\n=> add(type=\"x\", value=JsonToClaimValue(\"{}\"));"));
  EXPECT_EQ(OutcomeOf(Evaluate(policy, kNoClaims)), "deny 2");
}

TEST(AuthorizationTest, AnErrorBeforeADenyIsAnErrorAndNeverAPermit) {
  const Policy policy = ReadOrThrow(
      Authorizing("=> permit();\n=> add(type=\"x\", value=JsonToClaimValue(\"{}\"));\n=> deny();"));
  EXPECT_EQ(OutcomeOf(Evaluate(policy, kNoClaims)), "error type 3");
}

TEST(AuthorizationTest, AClaimAddedHereIsSeenByIssuance) {
  const Policy policy = ReadOrThrow(
      "version=1.0; authorizationrules { => add(type=\"x\", value=1); => permit(); };"
      "issuancerules { [type==\"x\", issuer==\"AttestationPolicy\"] => issue(type=\"y\", value=2); "
      "};");
  EXPECT_EQ(Evaluate(policy, kNoClaims).outgoing.size(), 1u);
}

struct ConditionRow {
  const char *condition, *outcome;
};
TEST(ConditionTest, ComparesByTypeAndValue) {
  const std::vector<Claim> claims = {Proven("n", int64_t{5}), Proven("s", "5"), Proven("b", true)};
  for (const ConditionRow& row : {
           ConditionRow{"[type==\"n\", value==5]", "permit"},
           {"[type==\"n\", value==\"5\"]", "deny"},
           {"[type==\"n\", value!=\"5\"]", "permit"},
           {"[type==\"s\", value==5]", "deny"},
           {"[type==\"b\", value==1]", "deny"},
           {"[type==\"b\", value==\"true\"]", "deny"},
           {"[type==\"b\", value==true]", "permit"},
           {"[type==\"n\", value>4, value<6, value>=5, value<=5]", "permit"},
           {"[type==\"n\", value>5]", "deny"},
           {"[type==\"n\", value<5]", "deny"},
           {"[type==\"s\", value>0]", "deny"},
           {"[type==\"N\"]", "deny"},
           {"[type!=\"n\", type!=\"s\", type!=\"b\"]", "deny"},
           {"[valueType==\"Boolean\"]", "permit"},
           {"[valueType==\"boolean\"]", "deny"},
           {"[issuer==\"AttestationService\"]", "permit"},
           {"[issuer==\"CustomClaim\"]", "deny"},
           {"[issuer!=\"AttestationService\"]", "deny"},
           {"![type==\"x\"]", "permit"},
           {"![type==\"n\"]", "deny"},
           {"[type==\"n\"] && ![type==\"n\", value==5]", "deny"},
       }) {
    EXPECT_EQ(Tested(row.condition, claims), row.outcome) << row.condition;
  }
}

TEST(ConditionTest, AgainstSeveralValuesEqualMeansOneOfThemAndUnequalNoneOfThem) {
  const std::vector<Claim> claims = {Proven("a", "x"), Proven("a", "y"), Proven("b", "y"),
                                     Proven("c", "z")};
  EXPECT_EQ(Tested("a:[type==\"a\"] && [type==\"b\", value==a.value]", claims), "permit");
  EXPECT_EQ(Tested("a:[type==\"a\"] && [type==\"b\", value!=a.value]", claims), "deny");
  EXPECT_EQ(Tested("a:[type==\"a\"] && [type==\"c\", value!=a.value]", claims), "permit");
}

TEST(ConditionTest, ARelationNeedsOneIntegerOnItsRightEvenWhenNothingIsCompared) {
  const std::vector<Claim> claims = {Proven("i", int64_t{1}), Proven("two", int64_t{1}),
                                     Proven("two", int64_t{2}), Proven("s", "1")};
  EXPECT_EQ(Tested("c:[type==\"i\"] && [type==\"none\", value<c.value]", claims), "deny");
  EXPECT_EQ(Tested("c:[type==\"two\"] && [type==\"none\", value<c.value]", claims),
            "error multi-valued 2");
  EXPECT_EQ(Tested("c:[type==\"s\"] && [type==\"none\", value<c.value]", claims), "error type 2");
  EXPECT_EQ(Tested("[type==\"none\", value<JsonToClaimValue(\"[]\")]", claims),
            "error empty-value 2");
}

TEST(ConditionTest, AFalseConditionEndsTheRuleBeforeALaterErrorIsSeen) {
  EXPECT_EQ(Tested("[type==\"none\"] && [value<JsonToClaimValue(\"[]\")]", {}), "deny");
}

TEST(ActionTest, ACopyBelongsToThePolicy) {
  const Evaluation evaluation = Evaluate(
      ReadOrThrow(Issuing("c:[type==\"a\"] => issue(claim=c);", "1.0")), {Proven("a", int64_t{1})});
  ASSERT_EQ(evaluation.outgoing.size(), 1u);
  EXPECT_EQ(evaluation.outgoing[0].issuer, Issuer::kAttestationPolicy);
  EXPECT_EQ(evaluation.outgoing[0].value, ClaimValue(int64_t{1}));
}

TEST(ActionTest, ARuleNeverSeesWhatItItselfAdds) {
  EXPECT_THAT(Issued("c:[type==\"a\"] => issue(claim=c);", {Proven("a", true)}),
              ElementsAre("a=true"));
}

TEST(ActionTest, TheTypeMustBeOneString) {
  const std::vector<Claim> claims = {Proven("n", int64_t{5}), Proven("two", "x"),
                                     Proven("two", "y")};
  EXPECT_THAT(Issued("c:[type==\"n\"] => issue(type=c.value, value=1);", claims),
              ElementsAre("error type 2"));
  EXPECT_THAT(Issued("c:[type==\"two\"] => issue(type=c.value, value=1);", claims),
              ElementsAre("error multi-valued 2"));
  EXPECT_THAT(Issued("=> issue(type=7, value=1);", claims), ElementsAre("error type 2"));
}

TEST(ActionTest, ReadOnlyClaimsMayBeTestedAndAddedButNeverPublished) {
  Claim secret = Proven("pcrs", "{}");
  secret.read_only = true;
  EXPECT_EQ(Tested("[type==\"pcrs\", value==\"{}\"]", {secret}), "permit");
  for (const char* rule :
       {"c:[type==\"pcrs\"] => issue(claim=c);", "c:[type==\"pcrs\"] => issueproperty(claim=c);",
        "c:[type==\"pcrs\"] => issue(type=\"x\", value=c.value);",
        "c:[type==\"pcrs\"] => issue(type=c.value, value=1);",
        "c:[type==\"pcrs\"] => issue(type=\"x\", value=AppendString(\"\", c.value));",
        "c:[type==\"pcrs\"] => add(type=\"y\", value=c.value);"
        "d:[type==\"y\"] => issue(claim=d);"}) {
    EXPECT_THAT(Issued(rule, {secret}), ElementsAre("error read-only 2")) << rule;
  }
  EXPECT_THAT(Issued("c:[type==\"pcrs\"] => issue(type=\"same\", value=ContainsOnlyValue(c.value, "
                     "\"{}\"));",
                     {secret}),
              ElementsAre("same=true"));
}

TEST(ActionTest, AnEqualReadOnlyValueMakesTheReducedOneReadOnly) {
  Claim open = Proven("a", "x"), secret = Proven("a", "x");
  secret.read_only = true;
  EXPECT_THAT(Issued("c:[type==\"a\"] => issue(type=\"b\", value=AppendString(c.value, \"\"));",
                     {open, secret}),
              ElementsAre("error read-only 2"));
}

TEST(ActionTest, NamesOfTheServiceCannotBeIssuedByLiteralByCopyOrByExpression) {
  EXPECT_THAT(Issued("=> issue(type=\"exp\", value=1);", {}),
              ElementsAre("error reserved-claim 2"));
  EXPECT_THAT(Issued("c:[type==\"x-ms-policy\"] => issue(claim=c);", {Proven("x-ms-policy", "p")}),
              ElementsAre("error reserved-claim 2"));
  EXPECT_THAT(Issued("=> issue(type=AppendString(\"i\", \"at\"), value=1);", {}),
              ElementsAre("error reserved-claim 2"));
  EXPECT_THAT(Issued("=> add(type=\"exp\", value=1);", {}), IsEmpty());
}

TEST(ActionTest, AnUnwantedValidityIsAnErrorAndTooLongAOneIsCut) {
  const auto validity = [](absl::string_view value) {
    return Evaluate(
        ReadOrThrow(Issuing(absl::StrCat(
            "=> issueproperty(type=\"report_validity_in_minutes\", value=", value, ");"))),
        kNoClaims);
  };
  EXPECT_EQ(OutcomeOf(validity("0")), "error type 2");
  EXPECT_EQ(OutcomeOf(validity("\"60\"")), "error type 2");
  EXPECT_EQ(validity("525601").properties.at(0).value, ClaimValue(int64_t{525600}));
  EXPECT_EQ(validity("525600").properties.at(0).value, ClaimValue(int64_t{525600}));
}

TEST(FunctionTest, ElementsCompareByTypeAndValueAndEmptySetsAreDefined) {
  const std::vector<Claim> claims = {Proven("a", int64_t{1}), Proven("a", "1"), Proven("b", true)};
  EXPECT_THAT(Issued("a:[type==\"a\"] => issue(type=\"r\", value=IsSubsetOf(\"1\", a.value));"
                     "a:[type==\"a\"] => issue(type=\"r\", value=IsSubsetOf(a.value, 1));"
                     "=> issue(type=\"r\", value=IsSubsetOf(JsonToClaimValue(\"[]\"), 1));"
                     "=> issue(type=\"r\", value=ContainsOnlyValue(JsonToClaimValue(\"[]\"), 1));"
                     "b:[type==\"b\"] => issue(type=\"r\", value=NegateBool(b.value));",
                     claims),
              ElementsAre("r=true", "r=false", "r=true", "r=false", "r=false"));
}

TEST(Attack, ACustomClaimCannotPassForOneOfTheService) {
  Claim custom = Proven("aikValidated", true);
  custom.issuer = Issuer::kCustomClaim;
  EXPECT_EQ(
      Tested("[type==\"aikValidated\", value==true, issuer==\"AttestationService\"]", {custom}),
      "deny");
}

TEST(Attack, TextThatDoublesWithEveryRuleMeetsTheLimit) {
  std::string rules = "=> add(type=\"t0\", value=\"0123456789\");\n";
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&rules, "c:[type==\"t", i, "\"] => add(type=\"t", i + 1,
                    "\", value=AppendString(c.value, c.value));\n");
  }
  const Evaluation evaluation = Evaluate(ReadOrThrow(Issuing(rules)), kNoClaims);
  EXPECT_EQ(evaluation.decision, Decision::kError);
  EXPECT_EQ(evaluation.error_kind, "limit");
}

TEST(Attack, ASetThatDoublesWithEveryRuleMeetsTheLimit) {
  std::string rules = "=> add(type=\"t\", value=1);\n";
  for (int i = 0; i < 100; ++i) rules += "c:[type==\"t\"] => add(claim=c);\n";
  EXPECT_EQ(Evaluate(ReadOrThrow(Issuing(rules)), kNoClaims).error_kind, "limit");
}

TEST(Attack, ManyConditionsOverManyClaimsMeetTheLimit) {
  const std::vector<Claim> claims(kMaxClaims, Proven("a", true));
  std::string conditions = "[type==\"a\"]";
  for (int i = 0; i < 5000; ++i) conditions += "&&[value==true]";
  EXPECT_EQ(Tested(conditions, claims), "error limit 2");
}

TEST(Attack, MoreClaimsThanAllowedAreAnErrorAndNeverAPermit) {
  const std::vector<Claim> claims(kMaxClaims + 1, Proven("a", true));
  EXPECT_EQ(Tested("", claims), "error limit 0");
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy
