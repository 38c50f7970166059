// Tokens: who gets one, what it says, and that it outlives its key's rotation.
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "common/base/hex.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/token/claims.h"
#include "gatekeeper/token/discovery.h"
#include "gatekeeper/token/verify.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/gate/gate.h"

namespace bootgate::gate {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::json;

constexpr char kIssuingPolicy[] = R"(version=1.0;
authorizationrules { [type=="secureBootEnabled", value==true] => permit(); };
issuancerules
{
    => issue(type="PlatformAttested", value=true);
    => issue(type="level", value=3);
    => issue(type="level", value=4);
    => issueproperty(type="report_validity_in_minutes", value=10);
};
)";

class TokenTest : public ::testing::Test {
 protected:
  // An attestation as an agent makes it, with a relying party's data.
  agent::AttestAnswer Attest(SoftHost& host, const std::string& rp_data = "",
                             bool want_token = true) {
    const auto client = gate_.Direct();
    const agent::Challenge challenge = host.Ask(*client).value();
    evidence::Evidence evidence = host.Answer(challenge);
    evidence.statement.rp_data = ToBytes(AsBytes(rp_data));
    evidence.want_token = want_token;
    host.Sign(challenge, &evidence);
    return client->Submit(evidence).value();
  }
  // As a relying party, by what is published alone.
  absl::StatusOr<gatekeeper::token::VerifiedToken> Verify(const std::string& token) {
    const auto keys =
        jose::ParseJwkSet(gatekeeper::token::KeySetText(gate_.issuer).value()).value();
    return gatekeeper::token::VerifyToken(token, keys,
                                          {.now = gate_.clock.Now(), .issuer = kIssuerUrl});
  }
  int TokensInAudit() {
    const std::vector<gatekeeper::store::AuditRow> rows = gate_.store->ListAudit(0, 1000).value();
    return static_cast<int>(
        std::ranges::count_if(rows, [](const auto& row) { return row.action == "token.issue"; }));
  }

  Gate gate_{{.policy = kIssuingPolicy}};
};

TEST_F(TokenTest, AnAdmittedHostThatAsksGetsOne) {
  SoftHost host = gate_.NewHost();
  const agent::AttestAnswer answer = Attest(host, "relying party's data");
  ASSERT_EQ(answer.outcome, "ADMIT");
  BG_ASSERT_OK_AND_ASSIGN(const auto verified, Verify(answer.token));
  const Json claims = Json::parse(verified.claims_json);
  EXPECT_EQ(claims["iss"], kIssuerUrl);
  EXPECT_EQ(claims["x-ms-attestation-type"], "tpm");
  EXPECT_EQ(claims["x-ms-policy-hash"], gatekeeper::token::PolicyHash(kIssuingPolicy));
  EXPECT_EQ(claims["x-ms-policy"].dump(), R"({"PlatformAttested":true,"level":[3,4]})");
  EXPECT_EQ(claims["PlatformAttested"], true);
  EXPECT_EQ(claims["rp_data"], ToBase64Url(AsBytes("relying party's data")));
  EXPECT_EQ(claims["exp"].get<int64_t>() - claims["iat"].get<int64_t>(), 600);
  EXPECT_THAT(answer.token, Not(HasSubstr("secureBootEnabled")));

  const auto rows = gate_.store->ListAudit(0, 1000).value();
  EXPECT_EQ(rows.back().action, "token.issue");
  EXPECT_EQ(rows.back().subject, host.id());
  EXPECT_THAT(rows.back().detail_json, HasSubstr(claims["jti"].get<std::string>()));
  EXPECT_THAT(gate_.Dump(), Not(HasSubstr(answer.token)));
}

TEST_F(TokenTest, WhoDoesNotAskGetsNone) {
  SoftHost host = gate_.NewHost();
  EXPECT_THAT(Attest(host, "", /*want_token=*/false).token, IsEmpty());
  EXPECT_EQ(TokensInAudit(), 0);
  EXPECT_EQ(gate_.issuer.issued(), 0);
}

TEST_F(TokenTest, WhoIsDeniedOrQuarantinedGetsNone) {
  SoftHost host = gate_.NewHost("secure-boot-off");
  const agent::AttestAnswer denied = Attest(host);
  EXPECT_EQ(denied.outcome, "DENY");
  EXPECT_THAT(denied.token, IsEmpty());
  // A good boot alone does not lead out of quarantine.
  host.Reboot();
  const agent::AttestAnswer good = Attest(host);
  EXPECT_EQ(good.trust, "quarantined");
  EXPECT_THAT(good.token, IsEmpty());
  EXPECT_EQ(TokensInAudit(), 0);
}

TEST_F(TokenTest, ATokenOutlivesTheRotationOfItsKey) {
  SoftHost host = gate_.NewHost();
  const std::string before = Attest(host).token;
  BG_ASSERT_OK_AND_ASSIGN(const std::string kid, gate_.token_keys->Rotate());
  const std::string after = Attest(host).token;
  BG_ASSERT_OK_AND_ASSIGN(const auto old_token, Verify(before));
  BG_ASSERT_OK_AND_ASSIGN(const auto new_token, Verify(after));
  EXPECT_NE(old_token.kid, kid);
  EXPECT_EQ(new_token.kid, kid);
  gate_.clock.Advance(absl::Minutes(12));
  EXPECT_FALSE(Verify(before).ok());
}

// Claims too long for a token are the policy's fault, not the host's: the verdict stands.
TEST_F(TokenTest, AVerdictDoesNotFailForItsToken) {
  SoftHost host = gate_.NewHost();
  std::string issue;
  for (int i = 0; i < 20; ++i) {
    issue += "=> issue(type=\"t" + std::to_string(i) + "\", value=\"" + std::string(30'000, 'x') +
             "\");\n";
  }
  gate_.AssignPolicy("version=1.0;\nauthorizationrules { => permit(); };\nissuancerules {\n" +
                     issue + "};\n");
  const agent::AttestAnswer answer = Attest(host);
  EXPECT_EQ(answer.outcome, "ADMIT");
  EXPECT_EQ(answer.trust, "trusted");
  EXPECT_THAT(answer.token, IsEmpty());
  EXPECT_EQ(TokensInAudit(), 0);
}

}  // namespace
}  // namespace bootgate::gate
