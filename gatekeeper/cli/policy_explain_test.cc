#include "gatekeeper/cli/policy_explain.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/fake_clock.h"
#include "gatekeeper/cli/stored_claims.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

policy::Policy Read(const std::string& rules) {
  policy::ParseError error;
  return policy::Policy::Read("version=1.2;\nauthorizationrules{\n" + rules + "\n};", &error)
      .value();
}

constexpr char kBody[] = R"({"claims": [
  {"type": "secureBootEnabled", "value": true, "issuer": "AttestationService"},
  {"type": "kernelCommandLine", "value_bytes": 9000, "value_sha256": "00",
   "issuer": "AttestationService"},
  {"type": "custom:site", "value": "x", "issuer": "CustomClaim"},
  {"type": "PlatformAttested", "value": true, "issuer": "AttestationPolicy"}]})";

TEST(StoredClaimsTest, AreThoseThatCameIn) {
  const auto stored =
      ReadStoredClaims(kBody, Read("[type==\"secureBootEnabled\", value==true] => permit();"));
  ASSERT_TRUE(stored.ok());
  ASSERT_THAT(stored->claims, SizeIs(2));
  EXPECT_EQ(stored->claims[0].value, ClaimValue(true));
  EXPECT_EQ(stored->claims[1].issuer, Issuer::kCustomClaim);
  EXPECT_THAT(stored->missing, IsEmpty());
}

TEST(StoredClaimsTest, SayWhichOfThoseThatThePolicyReadsAreNotWhole) {
  EXPECT_THAT(ReadStoredClaims(kBody, Read("[type==\"kernelCommandLine\"] => permit();"))->missing,
              ElementsAre("kernelCommandLine"));
  EXPECT_THAT(
      ReadStoredClaims(kBody, Read("[type==\"events\"] && [type==\"pcrs\"] => permit();"))->missing,
      ElementsAre("events", "pcrs"));
}

TEST(StoredClaimsTest, ABodyThatCannotBeReadIsSaid) {
  const policy::Policy policy = Read("=> permit();");
  for (const char* const bad :
       {"", "{}", R"({"claims": 1})", R"({"claims": [{}]})",
        R"({"claims": [{"type": "a", "value": null, "issuer": "AttestationService"}]})"}) {
    EXPECT_TRUE(absl::IsDataLoss(ReadStoredClaims(bad, policy).status())) << bad;
  }
}

TEST(PolicyExplainTest, TellsFromWhichEventsOfCapturedEvidenceAClaimCame) {
  EvidenceVerifyOptions options;
  options.folder = testing::CorpusPath("boots/good");
  options.policy_file = testing::SourcePath("deploy/policies/linux-secure-boot.policy");
  std::ostringstream out, err;
  PolicyExplainEvidence(options, OutputFormat::kJson, out, err);
  const auto json = nlohmann::json::parse(out.str());
  bool found = false;
  for (const auto& claim : json.at("trace").at("claims")) {
    if (claim.at("type") != "secureBootVariables") continue;
    EXPECT_EQ(claim.at("event_count"), 1);
    found = true;
  }
  EXPECT_TRUE(found) << out.str();
  out.str("");
  PolicyExplainEvidence(options, OutputFormat::kTable, out, err);
  EXPECT_THAT(out.str(), HasSubstr("authorizationrules\n"));
  EXPECT_THAT(out.str(), HasSubstr("did not run: condition 1 must select a claim"));
  EXPECT_THAT(out.str(), HasSubstr("from event "));
}

TEST(PolicyExplainTest, AnUnknownVerdictIsNotFound) {
  const std::string path = ::testing::TempDir() + "policy_explain_store";
  const auto store = store::OpenSqlite({.path = path, .create = true});
  ASSERT_TRUE(store.ok()) << store.status();
  testing::FakeClock clock(absl::UnixEpoch());
  std::ostringstream out, err;
  const Operator op{.store = **store,
                    .clock = clock,
                    .actor = "operator test",
                    .format = OutputFormat::kTable,
                    .out = out,
                    .err = err};
  EXPECT_EQ(PolicyExplainVerdict(op, "v-00"), ExitCode::kNotFound);
  for (const char* const end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
