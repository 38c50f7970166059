#include "gatekeeper/token/issuer.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "common/jose/x5c.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/token/claims.h"
#include "gatekeeper/token/discovery.h"
#include "gatekeeper/token/ring_test.h"
#include "gatekeeper/token/verify.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::token {
namespace {

using Json = nlohmann::json;
constexpr char kUrl[] = "https://tokens.example";
constexpr char kPolicy[] = "version= 1.0;";

class IssuerTest : public RingTest {
 protected:
  std::string Issued(Issuer& issuer, const std::vector<Claim>& properties = {}) {
    const std::vector<Claim> outgoing = {{.type = "secureBoot", .value = true}};
    const Bytes data{1, 2, 3};
    const Plan plan = issuer
                          .PlanToken({.now = clock_.Now(),
                                      .policy_text = kPolicy,
                                      .policy_signer_json = "",
                                      .rp_data = data,
                                      .request_key_json = "",
                                      .other_keys_json = "",
                                      .outgoing = outgoing,
                                      .properties = properties})
                          .value();
    return issuer.Issue(plan).value();
  }
  // As a relying party: the published set is all that it has.
  absl::StatusOr<VerifiedToken> Verify(Issuer& issuer, const std::string& token) {
    const std::vector<jose::Jwk> keys = jose::ParseJwkSet(KeySetText(issuer).value()).value();
    return VerifyToken(token, keys, {.now = clock_.Now(), .issuer = kUrl});
  }
  static Json HeaderOf(const std::string& token) {
    return Json::parse(ReadToken(token).value().header_json);
  }
  static Json ClaimsOf(const std::string& token) {
    return Json::parse(ReadToken(token).value().claims_json);
  }
};

TEST_F(IssuerTest, ATokenVerifiesByThePublishedSetAlone) {
  for (const auto alg : {jose::JwsAlg::kEs256, jose::JwsAlg::kRs256}) {
    const auto ring = Open(alg);
    Issuer issuer(kUrl, *ring);
    const std::string token = Issued(issuer);
    BG_ASSERT_OK_AND_ASSIGN(const VerifiedToken verified, Verify(issuer, token));
    EXPECT_EQ(verified.expires_at, clock_.Now() + absl::Hours(24));
    const Json header = HeaderOf(token), claims = ClaimsOf(token);
    EXPECT_EQ(header["typ"], "JWT");
    EXPECT_EQ(header["alg"], std::string(jose::Name(alg)));
    EXPECT_EQ(header["jku"], "https://tokens.example/certs");
    EXPECT_EQ(header["x5c"].size(), 2u);
    EXPECT_FALSE(header.contains("x5t"));
    EXPECT_EQ(claims["iss"], kUrl);
    EXPECT_EQ(claims["x-ms-policy-hash"], PolicyHash(kPolicy));
    EXPECT_EQ(claims["secureBoot"], true);
    EXPECT_EQ(claims["rp_data"], "AQID");
    EXPECT_EQ(issuer.issued(), 1);
  }
}

TEST_F(IssuerTest, EveryTokenHasItsOwnName) {
  const auto ring = Open();
  Issuer issuer(kUrl, *ring);
  EXPECT_NE(ClaimsOf(Issued(issuer))["jti"], ClaimsOf(Issued(issuer))["jti"]);
}

TEST_F(IssuerTest, PropertiesSetTheValidityAndLeaveTheChainOut) {
  const auto ring = Open();
  Issuer issuer(kUrl, *ring);
  const std::string token =
      Issued(issuer, {{.type = "report_validity_in_minutes", .value = int64_t{10}},
                      {.type = "omit_x5c", .value = true}});
  BG_ASSERT_OK_AND_ASSIGN(const VerifiedToken verified, Verify(issuer, token));
  EXPECT_EQ(verified.expires_at, clock_.Now() + absl::Minutes(10));
  const Json header = HeaderOf(token);
  EXPECT_FALSE(header.contains("x5c"));
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<KeyInfo> keys, ring->Keys());
  EXPECT_EQ(header["x5t"], jose::X5t(keys.at(0).chain.at(0)));
}

TEST_F(IssuerTest, ATokenOutlivesTheRotationOfItsKey) {
  const auto ring = Open();
  Issuer issuer(kUrl, *ring);
  const std::string before = Issued(issuer);
  BG_ASSERT_OK_AND_ASSIGN(const std::string made, ring->Rotate());
  const std::string after = Issued(issuer);
  EXPECT_EQ(HeaderOf(after)["kid"], made);
  EXPECT_NE(HeaderOf(before)["kid"], made);
  EXPECT_TRUE(Verify(issuer, before).ok());
  EXPECT_TRUE(Verify(issuer, after).ok());
}

TEST_F(IssuerTest, DiscoveryLeadsToTheKeySet) {
  const auto ring = Open();
  Issuer issuer(kUrl, *ring);
  const Json document = Json::parse(DiscoveryText(issuer));
  EXPECT_EQ(document["issuer"], kUrl);
  EXPECT_EQ(document["jwks_uri"], "https://tokens.example/certs");
  EXPECT_EQ(document["id_token_signing_alg_values_supported"].dump(), R"(["ES256","RS256"])");
  const Json set = Json::parse(KeySetText(issuer).value());
  ASSERT_EQ(set["keys"].size(), 1u);
  EXPECT_EQ(set["keys"][0]["use"], "sig");
  EXPECT_FALSE(set["keys"][0].contains("d"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::token
