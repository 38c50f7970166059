#include "gatekeeper/policy/parser.h"

#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Row {
  const char* name;
  std::string text;
  const char* refusal;  // "KIND LINE:COLUMN", or "read"
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }

class ReadTest : public ::testing::TestWithParam<Row> {};
TEST_P(ReadTest, EndsAtTheRightPlace) { EXPECT_EQ(RefusalOf(GetParam().text), GetParam().refusal); }

const auto kRowName = [](const auto& row) { return std::string(row.param.name); };

INSTANTIATE_TEST_SUITE_P(
    Frame, ReadTest,
    ::testing::Values(
        Row{"Empty", "", "syntax 1:1"}, Row{"OnlyBlank", " \n // x\n", "syntax 3:1"},
        Row{"NoVersion", "authorizationrules{};", "syntax 1:1"},
        Row{"VersionAsString", "version=\"1.0\";authorizationrules{};", "syntax 1:9"},
        Row{"VersionWithoutMinor", "version=1;authorizationrules{};", "syntax 1:9"},
        Row{"VersionTooNew", "version=1.3;authorizationrules{};", "unsupported-version 1:9"},
        Row{"VersionSpeltWithZero", "version=1.00;authorizationrules{};",
            "unsupported-version 1:9"},
        Row{"NoAuthorization", "version=1.0;\nissuancerules{};", "syntax 2:17"},
        Row{"OnlyVersion", "version=1.0;", "syntax 1:13"},
        Row{"EmptySections",
            "version=1.1;configurationrules{};authorizationrules{};issuancerules{};", "read"},
        Row{"SectionTwice", "version=1.0;authorizationrules{};\nauthorizationrules{};",
            "syntax 2:1"},
        Row{"ConfigurationLast", "version=1.1;authorizationrules{};\nconfigurationrules{};",
            "syntax 2:1"},
        Row{"StrayTail", "version=1.0;authorizationrules{};\nx", "syntax 2:1"},
        Row{"TwoSemicolons", "version=1.0;authorizationrules{};;", "syntax 1:34"},
        Row{"SectionNotClosed", "version=1.0;authorizationrules{ => permit();", "syntax 1:45"},
        Row{"ByteOrderMark", "\xef\xbb\xbfversion=1.0;authorizationrules{};", "read"},
        Row{"ByteOrderMarkCountsForNothing", "\xef\xbb\xbf?", "syntax 1:1"},
        Row{"NotUtf8InAComment", "version=1.0;\n// \u00e9 \xff", "syntax 2:6"},
        Row{"OverlongUtf8", "// \xc0\xaf", "syntax 1:4"},
        Row{"Surrogate", "// \xed\xa0\x80", "syntax 1:4"}),
    kRowName);

INSTANTIATE_TEST_SUITE_P(
    Rules, ReadTest,
    ::testing::Values(
        Row{"NoArrow", Authorizing("[type==\"a\"] permit();"), "syntax 2:13"},
        Row{"NoSemicolon", Authorizing("=> permit()"), "syntax 3:1"},
        Row{"DanglingAnd", Authorizing("[type==\"a\"] && => permit();"), "syntax 2:16"},
        Row{"EmptyCondition", Authorizing("[] => permit();"), "syntax 2:2"},
        Row{"TrailingComma", Authorizing("[type==\"a\",] => permit();"), "syntax 2:12"},
        Row{"UnknownProperty", Authorizing("[name==\"a\"] => permit();"), "syntax 2:2"},
        Row{"UnknownVerb", Authorizing("=> allow();"), "syntax 2:4"},
        Row{"PermitWithArgument", Authorizing("=> permit(1);"), "syntax 2:11"},
        Row{"NegatedIdentifier", Authorizing("c:![type==\"a\"] => permit();"), "syntax 2:3"},
        Row{"IdentifierNegated", Authorizing("!c:[type==\"a\"] => permit();"), "syntax 2:2"},
        Row{"KeywordsAsIdentifiers",
            Issuing("type:[type==\"a\"] && value:[value==type.value] && true:[type==\"b\"] => "
                    "issue(type=\"x\", value=true.value);"),
            "read"},
        Row{"PositionalArgument", Issuing("=> issue(\"x\", value=1);"), "syntax 2:10"},
        Row{"NoType", Issuing("=> issue(value=1);"), "syntax 2:17"},
        Row{"NoValue", Issuing("=> issue(type=\"x\");"), "syntax 2:18"},
        Row{"NoArguments", Issuing("=> issue();"), "syntax 2:10"},
        Row{"TypeTwice", Issuing("=> issue(type=\"x\", value=1, type=\"y\");"), "syntax 2:29"},
        Row{"IssuerAssigned", Issuing("=> issue(type=\"x\", issuer=\"AttestationService\");"),
            "syntax 2:20"},
        Row{"EqualsInAssignment", Issuing("=> issue(type==\"x\", value=1);"), "syntax 2:14"},
        Row{"BareWordAsValue", Issuing("=> issue(type=\"x\", value=abc);"), "syntax 2:29"},
        Row{"UnknownIdentifierCopied", Issuing("c:[type==\"a\"] => issue(claim=d);"),
            "unbound-identifier 2:30"},
        Row{"IdentifierInItsOwnCondition", Issuing("c:[type==c.value] => issue(claim=c);"),
            "unbound-identifier 2:10"},
        Row{"IdentifierTwice", Issuing("c:[type==\"a\"] && c:[type==\"b\"] => issue(claim=c);"),
            "duplicate-identifier 2:18"},
        Row{"TypographicQuotes", Authorizing("[type==\u201ca\u201d] => permit();"), "syntax 2:8"}),
    kRowName);

INSTANTIATE_TEST_SUITE_P(
    Sections, ReadTest,
    ::testing::Values(
        Row{"PermitInIssuance", Issuing("=> permit();", "1.0"), "section 2:4"},
        Row{"DenyInIssuance", Issuing("=> deny();", "1.0"), "section 2:4"},
        Row{"PropertyInAuthorization", Authorizing("=> issueproperty(type=\"a\", value=1);", "1.0"),
            "section 2:4"},
        Row{"IssueInConfiguration",
            "version=1.1;configurationrules{=>issue(type=\"a\",value=1);};authorizationrules{};",
            "section 1:34"},
        Row{"CopyInConfiguration",
            "version=1.1;configurationrules{=>issueproperty(claim=c);};authorizationrules{};",
            "section 1:47"},
        Row{"FunctionInConfiguration",
            "version=1.2;configurationrules{=>issueproperty(type=\"a\",value=NegateBool(true));};"
            "authorizationrules{};",
            "section 1:63"},
        Row{"MaskTooLarge",
            "version=1.1;configurationrules{=>issueproperty(type=\"required_pcr_mask\","
            "value=0x1000000);};authorizationrules{};",
            "type 1:79"},
        Row{"MaskNegative",
            "version=1.1;configurationrules{=>issueproperty(type=\"required_pcr_mask\",value=-1);};"
            "authorizationrules{};",
            "type 1:79"}),
    kRowName);

INSTANTIATE_TEST_SUITE_P(
    Types, ReadTest,
    ::testing::Values(
        Row{"RelationOnType", Authorizing("[type<\"a\"] => permit();"), "type 2:6"},
        Row{"RelationOnIssuer", Authorizing("[issuer >= 1] => permit();"), "type 2:9"},
        Row{"RelationWithString", Authorizing("[value>\"1\"] => permit();"), "type 2:8"},
        Row{"RelationWithBoolean", Authorizing("[value<=true] => permit();"), "type 2:9"},
        Row{"TypeIsAnInteger", Authorizing("[type==1] => permit();"), "type 2:8"},
        Row{"ValueTypeIsABoolean", Authorizing("[valueType!=true] => permit();"), "type 2:13"},
        Row{"ValueOfAnyType", Authorizing("[value==1, value!=true, value==\"x\"] => permit();"),
            "read"},
        Row{"LiteralArgument", Issuing("=> issue(type=\"x\", value=AppendString(\"a\", 1));"),
            "type 2:44"},
        Row{"TooFewArguments", Issuing("=> issue(type=\"x\", value=NegateBool());"), "arity 2:26"},
        Row{"TooManyArguments", Issuing("=> issue(type=\"x\", value=NegateBool(true, 1));"),
            "arity 2:26"},
        Row{"FunctionCaseMatters", Issuing("=> issue(type=\"x\", value=negateBool(true));"),
            "unknown-function 2:26"},
        Row{"FirstErrorWins", Issuing("=> issue(type=\"x\", value=Nope(1));\n???"),
            "unknown-function 2:26"}),
    kRowName);

INSTANTIATE_TEST_SUITE_P(
    Versions, ReadTest,
    ::testing::Values(
        Row{"NotIn10", Authorizing("![type==\"a\"] => permit();", "1.0"), "version 2:1"},
        Row{"NotIn11", Authorizing("[type==\"a\"] && ![type==\"a\"] => permit();", "1.1"),
            "version 2:16"},
        Row{"NotIn12", Authorizing("![type==\"a\"] => permit();", "1.2"), "read"},
        Row{"FunctionIn10", Authorizing("[value==NegateBool(true)] => permit();", "1.0"),
            "version 2:9"},
        Row{"UnknownFunctionIn10", Authorizing("[value==Nope(true)] => permit();", "1.0"),
            "version 2:9"},
        Row{"ConfigurationIn10", "version=1.0;\nconfigurationrules{};authorizationrules{};",
            "version 2:1"},
        Row{"FunctionIn12", Authorizing("[value==NegateBool(true)] => permit();", "1.2"), "read"}),
    kRowName);

TEST(ParserTest, ALiteralQueryIsCompiledAndRefusedAtTheLiteral) {
  for (const char* const bad :
       {"a[", "", "length(a, b)", "no_such(@)", "Events[?PcrIndex == 12]"}) {
    EXPECT_EQ(RefusalOf(Issuing(
                  absl::StrCat("=> issue(type=\"x\", value=JmesPath(\"{}\", \"", bad, "\"));"))),
              "jmespath 2:41")
        << bad;
  }
  // An incomplete one is a string like any other while it is only a part.
  EXPECT_EQ(
      RefusalOf(Issuing("=> issue(type=\"x\", value=JmesPath(\"{}\", AppendString(\"a[?b<`\", "
                        "\"1`]\")));")),
      "read");
}

TEST(ParserTest, AllSixFunctionsNestToTheLimitAndNoFurther) {
  const auto nested = [](int depth) {
    std::string open;
    for (int i = 0; i < depth; ++i) open += "NegateBool(";
    const std::string close(static_cast<size_t>(depth), ')');
    return Issuing(absl::StrCat("=> issue(type=\"x\", value=", open, "true", close, ");"));
  };
  EXPECT_EQ(RefusalOf(nested(kMaxCallNesting)), "read");
  EXPECT_EQ(RefusalOf(nested(kMaxCallNesting + 1)),
            absl::StrCat("limit 2:", 26 + 11 * kMaxCallNesting));
  EXPECT_THAT(RefusalOf(nested(50'000)), HasSubstr("limit"));
}

TEST(ParserTest, RulesAndTextAreLimited) {
  std::string rules;
  for (size_t i = 0; i < kMaxRules; ++i) rules += "=>permit();\n";
  EXPECT_EQ(RefusalOf(Authorizing(rules)), "read");
  EXPECT_EQ(RefusalOf(Authorizing(rules + "=>permit();")),
            absl::StrCat("limit ", kMaxRules + 2, ":1"));
  std::string text = Authorizing("");
  text.resize(kMaxTextBytes, ' ');
  EXPECT_EQ(RefusalOf(text), "read");
  EXPECT_EQ(RefusalOf(text + " "), "limit 1:1");
}

std::vector<std::string> WarningsOf(absl::string_view text) {
  std::vector<std::string> out;
  const Policy policy = ReadOrThrow(text);
  for (const Warning& warning : policy.warnings()) {
    out.push_back(absl::StrCat(warning.code, " ", warning.line, ":", warning.column));
  }
  return out;
}

TEST(ParserTest, IrregularFormsAreReadWithAWarningAtTheirPlace) {
  EXPECT_THAT(WarningsOf(Authorizing("[type=\"a\"] => permit();")), ElementsAre("W001 2:6"));
  EXPECT_THAT(WarningsOf("version=1.0;authorizationrules{}\nissuancerules{};"),
              ElementsAre("W002 1:32"));
  EXPECT_THAT(WarningsOf(Authorizing("[Type==\"a\", value==TRUE] => Permit();")),
              ElementsAre("W003 2:2", "W003 2:20", "W003 2:29"));
  EXPECT_THAT(WarningsOf(Authorizing("=> issue(type=\"a\", value=1);")), ElementsAre("W004 2:4"));
  EXPECT_THAT(WarningsOf(Authorizing("[type==\"a\\b\"] => permit();")), ElementsAre("W005 2:10"));
  EXPECT_THAT(WarningsOf("version=1.1;configurationrules{=>issueproperty(type=\"x\",value=1);};"
                         "authorizationrules{};"),
              ElementsAre("W006 1:53"));
  EXPECT_THAT(WarningsOf(Authorizing("[value==0x10] => permit();")), ElementsAre("W007 2:9"));
  EXPECT_THAT(WarningsOf(Authorizing("[value==10] => permit();")), IsEmpty());
}

TEST(ParserTest, AFloodOfWarningsIsCutButEveryCodeIsKept) {
  std::string odd;
  for (int i = 0; i < 5'000; ++i) odd += "\\n";
  const Policy policy =
      ReadOrThrow(Authorizing(absl::StrCat("[type==\"", odd, "\", value==0x1] => permit();")));
  EXPECT_EQ(policy.warnings().size(), kMaxWarningsPerCode + 1);
  EXPECT_EQ(policy.warnings().back().code, "W007");
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy
