#include "agent/workload/jwt_validate.h"

#include "absl/strings/str_replace.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/private_key.h"
#include "common/jose/jwk.h"
#include "common/jose/jws.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::agent::workload {
namespace {

using ::bootgate::testing::Refuses;

constexpr char kClaims[] =
    R"({"sub":"spiffe://lab.example/host/h-1","aud":["db","cache"],"exp":1800000300})";

const crypto::PrivateKey& Key() {
  static const auto* const key =
      new crypto::PrivateKey(crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value());
  return *key;
}

JwtExpectation Wanted() {
  return {
      .audience = "db",
      .trust_domain_id = "spiffe://lab.example",
      .jwk_set = jose::JwkSetText({{Key().Public(), {.kid = "k1", .use = "sig", .alg = "ES256"}}}),
      .now = absl::FromUnixSeconds(1'800'000'000)};
}

std::string Signed(const std::string& claims, const std::string& kid = "k1",
                   const std::string& typ = "JWT") {
  return jose::SignJws(Key(), jose::JwsAlg::kEs256, {.alg = "", .typ = typ, .kid = kid}, claims)
      .value();
}

TEST(ValidateJwtSvid, AGoodOneSaysWho) {
  BG_ASSERT_OK_AND_ASSIGN(const ValidJwtSvid valid, ValidateJwtSvid(Signed(kClaims), Wanted()));
  EXPECT_EQ(valid.spiffe_id, "spiffe://lab.example/host/h-1");
  EXPECT_EQ(valid.claims_json, kClaims);
  const std::string one = absl::StrReplaceAll(kClaims, {{R"(["db","cache"])", R"("db")"}});
  EXPECT_TRUE(ValidateJwtSvid(Signed(one), Wanted()).ok());
  EXPECT_TRUE(ValidateJwtSvid(Signed(kClaims, "k1", "JOSE"), Wanted()).ok());
  EXPECT_TRUE(ValidateJwtSvid(Signed(kClaims, "k1", ""), Wanted()).ok());
}

TEST(ValidateJwtSvid, KnowsWhetherItHasTheKey) {
  EXPECT_TRUE(HasKey(Wanted().jwk_set, Signed(kClaims)));
  EXPECT_FALSE(HasKey(Wanted().jwk_set, Signed(kClaims, "k2")));
  EXPECT_FALSE(HasKey("", Signed(kClaims)));
}

struct BadSvid {
  const char* name;
  const char *from, *to;  // replaced in the claims
  Reason reason;
};
void PrintTo(const BadSvid& row, std::ostream* os) { *os << row.name; }
class ValidateJwtSvidRefuses : public ::testing::TestWithParam<BadSvid> {};

TEST_P(ValidateJwtSvidRefuses, Claims) {
  const std::string claims = absl::StrReplaceAll(kClaims, {{GetParam().from, GetParam().to}});
  ASSERT_NE(claims, kClaims);
  EXPECT_THAT(ValidateJwtSvid(Signed(claims), Wanted()).status(), Refuses(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ValidateJwtSvidRefuses,
    ::testing::ValuesIn(std::vector<BadSvid>{
        {"OtherAudience", R"("db",)", "", Reason::kSignerUntrusted},
        {"NoAudience", R"("aud":["db","cache"],)", "", Reason::kJwsParse},
        {"AudienceIsANumber", R"(["db","cache"])", "7", Reason::kJwsParse},
        {"Expired", "1800000300", "1799999939", Reason::kTokenExpired},
        {"NoExpiry", R"(,"exp":1800000300)", "", Reason::kJwsParse},
        {"ExpiryIsText", "1800000300", R"("never")", Reason::kJwsParse},
        {"ExpiryBeyondTime", "1800000300", "1e300", Reason::kJwsParse},
        {"OtherTrustDomain", "lab.example", "lab.example.evil", Reason::kSignerUntrusted},
        {"TrustDomainAlone", "lab.example/host/h-1", "lab.example", Reason::kSignerUntrusted},
        {"NoSubject", R"("sub":"spiffe://lab.example/host/h-1",)", "", Reason::kJwsParse},
        {"TwoSubjects", R"({"sub")", R"({"sub":"spiffe://lab.example/x","sub")", Reason::kJwsParse},
        {"NoObject", "{", "[", Reason::kJwsParse},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ValidateJwtSvid, RefusesWhatTheKeysDoNotVouchFor) {
  EXPECT_THAT(ValidateJwtSvid(Signed(kClaims, "k2"), Wanted()).status(),
              Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(ValidateJwtSvid(Signed(kClaims, ""), Wanted()).status(), Refuses(Reason::kJwsParse));
  EXPECT_THAT(ValidateJwtSvid(Signed(kClaims, "k1", "at+jwt"), Wanted()).status(),
              Refuses(Reason::kJwsParse));
  EXPECT_THAT(ValidateJwtSvid(jose::UnsignedJws(kClaims), Wanted()).status(),
              Refuses(Reason::kJwsParse));
  const crypto::PrivateKey other = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  const std::string forged =
      jose::SignJws(other, jose::JwsAlg::kEs256, {.alg = "", .typ = "JWT", .kid = "k1"}, kClaims)
          .value();
  EXPECT_THAT(ValidateJwtSvid(forged, Wanted()).status(), Refuses(Reason::kJwsSignature));
  EXPECT_FALSE(ValidateJwtSvid("", Wanted()).ok());
  EXPECT_FALSE(ValidateJwtSvid("a.b.c", Wanted()).ok());
}

}  // namespace
}  // namespace bootgate::agent::workload
