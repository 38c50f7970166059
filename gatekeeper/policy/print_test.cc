#include "gatekeeper/policy/print.h"

#include <filesystem>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

TEST(PrintTest, WritesOneFormHoweverItWasWritten) {
  const Policy policy = ReadOrThrow(
      "VERSION=1.2;configurationrules{=>issueproperty(value=0xF,type=\"required_pcr_mask\");}"
      "authorizationrules{ // why\n"
      "c1:[type=\"a\\\\b\\n\",value<-3]&&![issuer!=\"CustomClaim\"]=>permit();\n"
      "c:[valueType==\"String\"]=>add(claim=c);}\n"
      "issuancerules{c:[type==\"j\"]=>issue(valueType=\"String\",value=JmesPath(c.value,\"a[?b == "
      "`\\\"x\\\"`]\"),type=c.type);=>issue(type=\"t\",value=TRUE);};");
  EXPECT_EQ(
      Print(policy.program()),
      "version = 1.2;\n"
      "\nconfigurationrules\n{\n"
      "    => issueproperty(type = \"required_pcr_mask\", value = 15);\n};\n"
      "\nauthorizationrules\n{\n"
      "    c1:[type == \"a\\\\b\\\\n\", value < -3] && ![issuer != \"CustomClaim\"] => permit();\n"
      "    c:[valueType == \"String\"] => add(claim = c);\n};\n"
      "\nissuancerules\n{\n"
      "    c:[type == \"j\"] => issue(type = c.type, value = JmesPath(c.value, \"a[?b == "
      "`\\\"x\\\"`]\"), valueType = \"String\");\n"
      "    => issue(type = \"t\", value = true);\n};\n");
}

TEST(PrintTest, EveryPolicyOfTheCorpusReadsAsTheSameProgram) {
  size_t read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::CorpusPath("policies"))) {
    if (entry.path().extension() != ".policy" && entry.path().extension() != ".txt") continue;
    const auto text = ReadTextFile(entry.path().string(), 1 << 20);
    ParseError error;
    const auto policy = Policy::Read(text.value(), &error);
    if (!policy) continue;
    SCOPED_TRACE(entry.path());
    const Policy again = ReadOrThrow(Print(policy->program()));
    EXPECT_TRUE(SameProgram(policy->program(), again.program()));
    EXPECT_EQ(Print(again.program()), Print(policy->program()));
    ++read;
  }
  EXPECT_GE(read, 40u);
}

TEST(PrintTest, ProgramsThatDifferAnywhereAreNotTheSame) {
  const char* const rules[] = {
      "",
      "=> permit();",
      "=> deny();",
      "[type==\"a\"] => permit();",
      "![type==\"a\"] => permit();",
      "c:[type==\"a\"] => permit();",
      "[type!=\"a\"] => permit();",
      "[type==\"b\"] => permit();",
      "[value==1] => permit();",
      "[value==\"1\"] => permit();",
      "[type==\"a\", value==1] => permit();",
      "[type==\"a\"] && [value==1] => permit();",
      "c:[type==\"a\"] => add(claim=c);",
      "c:[type==\"a\"] => add(type=\"a\", value=c.value);",
      "c:[type==\"a\"] => add(type=\"a\", value=c.type);",
      "c:[type==\"a\"] => add(type=\"a\", value=c.value, valueType=\"String\");",
      "c:[type==\"a\"] => add(type=\"a\", value=NegateBool(c.value));",
      "c:[type==\"a\"] => add(type=\"a\", value=JsonToClaimValue(c.value));",
  };
  for (const char* const a : rules) {
    for (const char* const b : rules) {
      EXPECT_EQ(
          SameProgram(ReadOrThrow(Authorizing(a)).program(), ReadOrThrow(Authorizing(b)).program()),
          a == b)
          << a << " and " << b;
    }
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy
