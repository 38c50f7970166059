#include "gatekeeper/token/claims.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::token {
namespace {

using Json = nlohmann::ordered_json;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Claim Issued(std::string type, ClaimValue value) {
  return {.type = std::move(type), .value = std::move(value), .issuer = Issuer::kAttestationPolicy};
}

Contents ContentsWith(const std::vector<Claim>& outgoing) {
  return {.issuer = "https://t.example",
          .jti = "j",
          .issued_at = kNow,
          .expires_at = kNow + absl::Hours(1),
          .policy_hash = "h",
          .policy_signer_json = "",
          .rp_data = {},
          .request_key_json = "",
          .other_keys_json = "",
          .outgoing = outgoing};
}

Json Payload(const Contents& contents) { return Json::parse(PayloadText(contents).value()); }

TEST(PayloadText, SaysWhoWhenAndByWhichPolicy) {
  const std::vector<Claim> none;
  EXPECT_EQ(Payload(ContentsWith(none)).dump(),
            R"({"iss":"https://t.example","iat":1800000000,"nbf":1799999700,"exp":1800003600,)"
            R"("jti":"j","ver":"1.0","x-ms-ver":"1.0","x-ms-attestation-type":"tpm",)"
            R"("x-ms-policy-hash":"h","x-ms-policy":{}})");
}

TEST(PayloadText, APolicyClaimIsAScalarOrAListOfDistinctValues) {
  const std::vector<Claim> claims = {
      Issued("b", std::string("x")), Issued("a", true),       Issued("b", std::string("x")),
      Issued("n", int64_t{1}),       Issued("n", int64_t{2}), Issued("n", int64_t{1}),
      Issued("m", std::string("1")), Issued("m", int64_t{1}), Issued("m", true)};
  const Json payload = Payload(ContentsWith(claims));
  EXPECT_EQ(payload["x-ms-policy"].dump(), R"({"b":"x","a":true,"n":[1,2],"m":["1",1,true]})");
  EXPECT_EQ(payload["b"], "x");
  EXPECT_EQ(payload["n"].dump(), "[1,2]");
}

// The policy's author chooses names; a relying party must never take one for the service's word.
TEST(PayloadText, APolicyClaimNeverTakesTheServicesName) {
  std::vector<Claim> claims;
  const std::vector<std::string> own = {"iss",
                                        "sub",
                                        "aud",
                                        "exp",
                                        "nbf",
                                        "iat",
                                        "jti",
                                        "ver",
                                        "cnf",
                                        "nonce",
                                        "rp_data",
                                        "x-ms-ver",
                                        "x-ms-attestation-type",
                                        "x-ms-policy-hash",
                                        "x-ms-policy-signer",
                                        "x-ms-tpm-request-key",
                                        "x-ms-tpm-other-keys",
                                        "x-ms-policy"};
  for (const std::string& name : own) claims.push_back(Issued(name, std::string("forged")));
  const std::vector<Claim> none;
  Json with = Payload(ContentsWith(claims)), without = Payload(ContentsWith(none));
  for (const std::string& name : own) EXPECT_EQ(with["x-ms-policy"][name], "forged") << name;
  with.erase("x-ms-policy");
  without.erase("x-ms-policy");
  EXPECT_EQ(with, without);
}

TEST(PayloadText, RepeatsTheRelyingPartysDataTwice) {
  const std::vector<Claim> none;
  const Bytes data{0xff, 0xef, 0x00};
  Contents contents = ContentsWith(none);
  contents.rp_data = data;
  const Json payload = Payload(contents);
  EXPECT_EQ(payload["rp_data"], ToBase64Url(data));
  EXPECT_EQ(payload["nonce"], payload["rp_data"]);
}

TEST(PayloadText, ConfirmsTheRequestKey) {
  const std::vector<Claim> none;
  Contents contents = ContentsWith(none);
  contents.request_key_json = R"({"jwk":{"kty":"EC"},"info":{"tpm_quote":{"hash_alg":"sha-256"}}})";
  contents.other_keys_json = R"([{"jwk":{"kty":"RSA"}}])";
  contents.policy_signer_json = R"({"jwk":{"kty":"RSA","n":"x"}})";
  const Json payload = Payload(contents);
  EXPECT_EQ(payload["cnf"].dump(), R"({"jwk":{"kty":"EC"}})");
  EXPECT_EQ(payload["x-ms-tpm-request-key"]["info"]["tpm_quote"]["hash_alg"], "sha-256");
  EXPECT_EQ(payload["x-ms-tpm-other-keys"][0]["jwk"]["kty"], "RSA");
  EXPECT_EQ(payload["x-ms-policy-signer"]["jwk"]["n"], "x");
  contents.request_key_json = "{";
  EXPECT_FALSE(PayloadText(contents).ok());
}

TEST(PayloadText, IsBounded) {
  const std::vector<Claim> claims = {Issued("a", std::string(kMaxPayloadBytes, 'a'))};
  EXPECT_EQ(PayloadText(ContentsWith(claims)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(PolicyHash, IsTheHashOfTheEncodedText) {
  // printf '%s' 'version= 1.0;' | basenc --base64url | tr -d '=' | openssl sha256
  EXPECT_EQ(PolicyHash("version= 1.0;"), "w6Cl_AQ3oK4qVBZ7Fo9L4SbBS1B5jAnBhiiv1Umgmeo");
}

TEST(PropertiesOf, TheLastOfAKindCounts) {
  EXPECT_EQ(PropertiesOf({}).validity, absl::Hours(24));
  EXPECT_FALSE(PropertiesOf({}).omit_x5c);
  const Properties properties =
      PropertiesOf({Issued("report_validity_in_minutes", int64_t{5}), Issued("omit_x5c", true),
                    Issued("report_validity_in_minutes", int64_t{7}), Issued("other", int64_t{1})});
  EXPECT_EQ(properties.validity, absl::Minutes(7));
  EXPECT_TRUE(properties.omit_x5c);
  EXPECT_EQ(PropertiesOf({Issued("report_validity_in_minutes", int64_t{1'000'000})}).validity,
            kMaxValidity);
}

}  // namespace
}  // namespace bootgate::gatekeeper::token
