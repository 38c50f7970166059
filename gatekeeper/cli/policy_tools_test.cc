// The offline policy tools, on the language's own cases and on files made here.
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/cli/policy_case.h"
#include "gatekeeper/cli/policy_check.h"
#include "gatekeeper/cli/policy_eval.h"
#include "gatekeeper/cli/policy_test_verb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

constexpr char kPolicy[] =
    "version=1.2;\nauthorizationrules{\n"
    "[type==\"secureBootEnabled\", value==true] => permit();\n};\n"
    "issuancerules{\nc:[type==\"tpmVersion\"] => issue(claim=c);\n};\n";
constexpr char kClaims[] =
    R"({"description": "on", "claims": [{"type": "secureBootEnabled", "value": true},
        {"type": "tpmVersion", "value": 2}]})";

class PolicyToolsTest : public ::testing::Test {
 protected:
  PolicyToolsTest() {
    std::string pattern = ::testing::TempDir() + "policy_tools_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PolicyToolsTest() override { std::filesystem::remove_all(folder_); }

  std::string Put(const std::string& name, const std::string& text) {
    const std::string path = folder_ + "/" + name;
    EXPECT_TRUE(WriteFileAtomically(path, AsBytes(text), 0600).ok());
    return path;
  }
  ExitCode Check(const PolicyCheckOptions& options) { return PolicyCheck(options, out_, err_); }
  ExitCode Eval(const PolicyEvalOptions& options) { return PolicyEval(options, out_, err_); }
  ExitCode Test(const PolicyTestOptions& options) { return PolicyTest(options, out_, err_); }

  std::string folder_;
  std::ostringstream out_, err_;
};

TEST_F(PolicyToolsTest, EveryCaseOfTheLanguageEndsAsExpected) {
  EXPECT_EQ(Test({.folders = {testing::CorpusPath("policies")}}), ExitCode::kSuccess)
      << out_.str() << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("68 of 68 cases as expected"));
}

TEST_F(PolicyToolsTest, EverySampleHasCasesThatEndAsExpected) {
  const std::string samples = testing::SourcePath("deploy/policies");
  EXPECT_EQ(Test({.folders = {samples}}), ExitCode::kSuccess) << out_.str() << err_.str();
  for (const auto& entry : std::filesystem::directory_iterator(samples)) {
    if (entry.path().extension() != ".policy") continue;
    const std::string name = entry.path().stem().string();
    EXPECT_THAT(out_.str(), HasSubstr(absl::StrCat("ok    ", name, "-good: ")));
  }
}

TEST_F(PolicyToolsTest, EvalPrintsExactlyTheMembersOfAnOutcome) {
  size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::CorpusPath("policies"))) {
    const std::filesystem::path path = entry.path();
    if (path.extension() != ".policy") continue;
    const std::string base = path.string().substr(0, path.string().size() - 7);
    out_.str("");
    Eval({.policy_file = path.string(),
          .claims_file = base + ".in.json",
          .format = OutputFormat::kJson});
    EXPECT_EQ(Json::parse(out_.str()),
              Json::parse(ReadTextFile(base + ".out.json", 1 << 20).value()))
        << path;
    ++compared;
  }
  EXPECT_EQ(compared, 55u);
}

TEST_F(PolicyToolsTest, ACaseThatEndsOtherwiseIsShownWithItsDifference) {
  Put("a.policy", kPolicy);
  Put("a.in.json", kClaims);
  Put("a.out.json", R"({"result": "permit", "configuration": {}, "outgoing": [],
                        "properties": [], "token": {"tpmVersion": 1}, "warnings": []})");
  EXPECT_EQ(Test({.folders = {folder_}}), ExitCode::kDenied);
  EXPECT_THAT(out_.str(), HasSubstr("FAIL  a: on"));
  EXPECT_THAT(out_.str(), HasSubstr("token.tpmVersion: expected 1, is 2"));
  EXPECT_THAT(out_.str(), HasSubstr("outgoing: expected [], is [{"));
  EXPECT_THAT(out_.str(), HasSubstr("0 of 1 cases as expected"));
}

TEST_F(PolicyToolsTest, AnUpdatedCaseEndsAsExpected) {
  Put("a.policy", kPolicy);
  Put("a.in.json", kClaims);
  EXPECT_EQ(Test({.folders = {folder_}, .update = true}), ExitCode::kSuccess);
  out_.str("");
  EXPECT_EQ(Test({.folders = {folder_}, .format = OutputFormat::kJson}), ExitCode::kSuccess);
  const Json json = Json::parse(out_.str());
  EXPECT_EQ(json["passed"], 1);
  EXPECT_EQ(json["cases"][0],
            Json({{"name", "a"}, {"passed", true}, {"differences", Json::array()}}));
}

TEST_F(PolicyToolsTest, ATestWithoutCasesOrWithABrokenOneIsNoSuccess) {
  EXPECT_EQ(Test({.folders = {folder_}}), ExitCode::kUsage);
  EXPECT_EQ(Test({.folders = {folder_ + "/none"}}), ExitCode::kNotFound);
  Put("a.in.json", kClaims);
  EXPECT_EQ(Test({.folders = {folder_}}), ExitCode::kNotFound);  // no a.policy
  Put("a.policy", kPolicy);
  Put("a.out.json", "[");
  EXPECT_EQ(Test({.folders = {folder_}}), ExitCode::kUsage);
}

TEST_F(PolicyToolsTest, ClaimsInAnOddFormAreRefusedWithTheirNumber) {
  for (const char* const bad :
       {"", "7", "{}", "[{}]", R"([{"type": "a"}])", R"([{"type": "a", "value": 1.5}])",
        R"([{"type": "a", "value": null}])", R"([{"type": "a", "value": 1, "json": 1}])",
        R"([{"type": "a", "value": 1, "issuer": "AttestationPolicy"}])",
        R"([{"type": "a", "value": 99999999999999999999}])"}) {
    EXPECT_FALSE(ReadCaseInput(bad).ok()) << bad;
  }
  const auto claims = ReadCaseInput(R"([{"type": "a", "json": {"b": [1, "\u00e9"]}},
                                         {"type": "c", "value": 1, "issuer": "CustomClaim"}])");
  ASSERT_TRUE(claims.ok());
  EXPECT_EQ(claims->claims[0].value, ClaimValue("{\"b\":[1,\"\u00e9\"]}"));
  EXPECT_EQ(claims->claims[1].issuer, Issuer::kCustomClaim);
}

TEST_F(PolicyToolsTest, TheTraceTellsRuleByRuleWhatFired) {
  const std::string policy = Put("a.policy",
                                 "version=1.2;\nauthorizationrules{\n"
                                 "[type==\"off\"] => deny();\n=> permit();\n};\nissuancerules{\n"
                                 "c:[type==\"events\"] => add(type=\"x\", value=JmesPath(c.value, "
                                 "\"Events[?Pcr == `7`]\"));\n"
                                 "c:[type==\"x\"] => issue(type=\"name\", value="
                                 "JsonToClaimValue(JmesPath(c.value, \"[0].Name\")));\n};\n");
  const std::string claims = Put("a.in.json", R"([{"type": "events", "json": {"Events": [
        {"EventSeq": 3, "Pcr": 1, "Name": "a"}, {"EventSeq": 4, "Pcr": 7, "Name": "b"}]}}])");
  EXPECT_EQ(Eval({.policy_file = policy, .claims_file = claims, .trace = true}),
            ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("line 3: [type == \"off\"] => deny();\n"
                                    "    did not run: condition 1 must select a claim, it selects "
                                    "0\n"));
  EXPECT_THAT(out_.str(), HasSubstr("made [2] name = b (AttestationPolicy)  from event 4"));
  out_.str("");
  Eval(
      {.policy_file = policy, .claims_file = claims, .trace = true, .format = OutputFormat::kJson});
  const Json trace = Json::parse(out_.str()).at("trace");
  EXPECT_EQ(trace["rules"].size(), 4u);
  EXPECT_EQ(trace["rules"][0]["failed_condition"], 0);
  EXPECT_EQ(trace["claims"][1]["events"], Json({4}));
  EXPECT_EQ(trace["claims"][2]["value"], "b");
}

TEST_F(PolicyToolsTest, EvalTellsByItsExitCode) {
  const std::string claims = Put("a.in.json", kClaims);
  const std::string none = Put("none.in.json", "[]");
  const std::string policy = Put("a.policy", kPolicy);
  EXPECT_EQ(Eval({.policy_file = policy, .claims_file = claims}), ExitCode::kSuccess);
  EXPECT_EQ(Eval({.policy_file = policy, .claims_file = none}), ExitCode::kDenied);
  EXPECT_EQ(Eval({.policy_file = Put("b.policy", "version=1.2"), .claims_file = claims}),
            ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("b.policy:1:12: error:"));
}

TEST_F(PolicyToolsTest, CheckTellsFindingsAndFailsForThemOnlyWhenStrict) {
  const std::string sound = Put("sound.policy", kPolicy);
  const std::string open =
      Put("open.policy", "version=1.0;\nauthorizationrules\n{\n  => permit();\n};\n");
  EXPECT_EQ(Check({.files = {sound, open}}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("sound.policy: policy "));
  EXPECT_THAT(out_.str(), HasSubstr("open.policy:4:6: warning: permits every host: no condition "
                                    "asks for evidence [L001]\n"
                                    "    => permit();\n       ^\n"));
  EXPECT_EQ(Check({.files = {sound}, .strict = true}), ExitCode::kSuccess);
  EXPECT_EQ(Check({.files = {sound, open}, .strict = true}), ExitCode::kUsage);
  out_.str("");
  Check({.files = {open}, .format = OutputFormat::kJson});
  EXPECT_EQ(Json::parse(out_.str())["findings"][0]["code"], "L001");
  out_.str("");
  Check({.files = {sound, open}, .format = OutputFormat::kJson});
  EXPECT_EQ(Json::parse(out_.str()).size(), 2u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
