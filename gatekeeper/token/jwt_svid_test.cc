#include "gatekeeper/token/jwt_svid.h"

#include <nlohmann/json.hpp>

#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/token/ring_test.h"
#include "gatekeeper/token/verify.h"

namespace bootgate::gatekeeper::token {
namespace {

using Json = nlohmann::json;
using ::bootgate::testing::IsOk;

constexpr char kId[] = "spiffe://lab.example/host/h-0123";

class JwtSvidTest : public RingTest {
 protected:
  void SetUp() override {
    RingTest::SetUp();
    ring_ = Open();
    issuer_.emplace("https://t.example", *ring_);
  }
  JwtSvidRequest Request() const {
    return {.spiffe_id = kId,
            .audiences = {"db", "cache"},
            .now = clock_.Now(),
            .no_longer_than = clock_.Now() + absl::Hours(1)};
  }
  std::unique_ptr<KeyRing> ring_;
  std::optional<Issuer> issuer_;
};

TEST_F(JwtSvidTest, SaysWhoForWhomAndHowLongAndIsSignedByAPublishedKey) {
  BG_ASSERT_OK_AND_ASSIGN(const JwtSvid made, IssueJwtSvid(*issuer_, Request()));
  EXPECT_EQ(made.expires_at, clock_.Now() + kJwtSvidValidity);
  BG_ASSERT_OK_AND_ASSIGN(const jose::ParsedJws jws, jose::ParsedJws::Parse(made.svid));
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<jose::Jwk> keys, ring_->Published());
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(jws.untrusted_header().kid, keys[0].notes.kid);
  EXPECT_EQ(jws.untrusted_header().typ, "JWT");
  EXPECT_EQ(jws.untrusted_header().alg, "ES256");
  EXPECT_TRUE(jws.untrusted_header().x5c.empty());
  BG_ASSERT_OK_AND_ASSIGN(const jose::VerifiedJws verified, jws.Verify(keys[0].key));
  const Json claims = Json::parse(AsText(verified.payload()));
  EXPECT_EQ(claims["sub"], kId);
  EXPECT_EQ(claims["aud"], Json({"db", "cache"}));
  EXPECT_EQ(claims["exp"], absl::ToUnixSeconds(made.expires_at));
  EXPECT_EQ(claims["iss"], "https://t.example");
}

TEST_F(JwtSvidTest, EndsWithTheHostsCertificate) {
  JwtSvidRequest request = Request();
  request.no_longer_than = clock_.Now() + absl::Seconds(30);
  BG_ASSERT_OK_AND_ASSIGN(const JwtSvid made, IssueJwtSvid(*issuer_, request));
  EXPECT_EQ(made.expires_at, request.no_longer_than);
  request.no_longer_than = clock_.Now();
  EXPECT_EQ(ReasonOf(IssueJwtSvid(*issuer_, request).status()), Reason::kTokenExpired);
}

TEST_F(JwtSvidTest, IsNoAttestationToken) {
  BG_ASSERT_OK_AND_ASSIGN(const JwtSvid made, IssueJwtSvid(*issuer_, Request()));
  // Without `nbf`, which every attestation token has, our own verifier of those refuses it.
  EXPECT_FALSE(VerifyToken(made.svid, ring_->Published().value(), {.now = clock_.Now()}).ok());
}

struct BadAudiences {
  const char* name;
  std::vector<std::string> audiences;
};
void PrintTo(const BadAudiences& row, std::ostream* os) { *os << row.name; }
class JwtSvidRefuses : public JwtSvidTest, public ::testing::WithParamInterface<BadAudiences> {};

TEST_P(JwtSvidRefuses, AudiencesThatAreNone) {
  JwtSvidRequest request = Request();
  request.audiences = GetParam().audiences;
  EXPECT_EQ(ReasonOf(IssueJwtSvid(*issuer_, request).status()), Reason::kMessageMalformed);
}

INSTANTIATE_TEST_SUITE_P(Rows, JwtSvidRefuses,
                         ::testing::ValuesIn(std::vector<BadAudiences>{
                             {"None", {}},
                             {"Empty", {"db", ""}},
                             {"TooMany", std::vector<std::string>(kMaxAudiences + 1, "db")},
                             {"TooLong", {std::string(kMaxAudienceBytes + 1, 'a')}},
                             {"LineBreak", {"db\n"}},
                             {"NotUtf8", {"\xff\xfe"}},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::gatekeeper::token
