#include "gatekeeper/token/verify.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/kdf.h"
#include "common/crypto/private_key.h"
#include "common/jose/jws.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::token {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr char kClaims[] = R"({"iss":"https://a","nbf":1799999700,"exp":1800003600,"jti":"1"})";

class VerifyTokenTest : public ::testing::Test {
 protected:
  std::string Signed(absl::string_view claims = kClaims,
                     const jose::JwsHeader& header = {.typ = "JWT", .kid = "k"}) const {
    return jose::SignJws(key_, jose::JwsAlg::kEs256, header, claims).value();
  }
  absl::Status Verify(absl::string_view token, const VerifyOptions& options = {.now = kNow}) const {
    return VerifyToken(token, keys_, options).status();
  }

  const crypto::PrivateKey key_ = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  const crypto::PrivateKey other_ = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  const std::vector<jose::Jwk> keys_ = {
      {other_.Public(), {.kid = "other", .use = "sig", .alg = "ES256"}},
      {key_.Public(), {.kid = "k", .use = "sig", .alg = "ES256"}}};
};

TEST_F(VerifyTokenTest, TakesAGoodOne) {
  EXPECT_THAT(Verify(Signed()), IsOk());
  EXPECT_THAT(Verify(Signed(), {.now = kNow, .issuer = "https://a"}), IsOk());
  EXPECT_THAT(Verify(Signed(kClaims, {})), IsOk()) << "without kid every key is tried";
}

TEST_F(VerifyTokenTest, RefusesOtherKeys) {
  EXPECT_THAT(Verify(Signed(kClaims, {.kid = "other"})), Refuses(Reason::kJwsSignature));
  EXPECT_THAT(Verify(Signed(kClaims, {.kid = "unknown"})), Refuses(Reason::kSignerUntrusted));
  EXPECT_THAT(VerifyToken(Signed(), {}, {.now = kNow}), Refuses(Reason::kSignerUntrusted));
  const std::vector<jose::Jwk> for_encryption = {{key_.Public(), {.kid = "k", .use = "enc"}}};
  EXPECT_THAT(VerifyToken(Signed(), for_encryption, {.now = kNow}), Refuses(Reason::kJwsAlg));
}

TEST_F(VerifyTokenTest, RefusesAlteredClaims) {
  const std::vector<std::string> parts = absl::StrSplit(Signed(), '.');
  const std::string claims = R"({"iss":"https://a","nbf":1,"exp":1900000000,"jti":"1"})";
  EXPECT_THAT(Verify(absl::StrCat(parts[0], ".", ToBase64Url(AsBytes(claims)), ".", parts[2])),
              Refuses(Reason::kJwsSignature));
}

TEST_F(VerifyTokenTest, RefusesUnsignedOnes) {
  EXPECT_THAT(Verify(jose::UnsignedJws(kClaims)), Refuses(Reason::kJwsAlg));
  const std::string header = ToBase64Url(AsBytes(R"({"alg":"none","kid":"k"})"));
  const std::vector<std::string> parts = absl::StrSplit(Signed(), '.');
  EXPECT_THAT(Verify(absl::StrCat(header, ".", parts[1], ".")), Refuses(Reason::kJwsAlg));
  EXPECT_THAT(Verify(absl::StrCat(header, ".", parts[1], ".", parts[2])), Refuses(Reason::kJwsAlg));
}

TEST_F(VerifyTokenTest, RefusesAnHmacUnderThePublicKey) {
  const std::string input = absl::StrCat(ToBase64Url(AsBytes(R"({"alg":"HS256","kid":"k"})")), ".",
                                         ToBase64Url(AsBytes(kClaims)));
  const Bytes secret = key_.Public().SpkiDer();
  const crypto::Digest mac = crypto::Hmac(crypto::HashAlg::kSha256, secret, {AsBytes(input)});
  EXPECT_THAT(Verify(absl::StrCat(input, ".", ToBase64Url(mac.view()))), Refuses(Reason::kJwsAlg));
}

TEST_F(VerifyTokenTest, RefusesWhatIsNotValidNow) {
  EXPECT_THAT(Verify(Signed(), {.now = kNow + absl::Hours(2)}), Refuses(Reason::kTokenExpired));
  EXPECT_THAT(Verify(Signed(), {.now = kNow - absl::Hours(1)}), Refuses(Reason::kTokenExpired));
  EXPECT_THAT(Verify(Signed(), {.now = kNow + absl::Minutes(61)}), IsOk()) << "clocks differ";
  EXPECT_THAT(Verify(Signed(), {.now = kNow + absl::Seconds(3661)}),
              Refuses(Reason::kTokenExpired));
}

TEST_F(VerifyTokenTest, RefusesOtherIssuers) {
  EXPECT_THAT(Verify(Signed(), {.now = kNow, .issuer = "https://b"}),
              Refuses(Reason::kSignerUntrusted));
}

TEST_F(VerifyTokenTest, RefusesWhatIsNoToken) {
  for (const char* claims : {"", "[]", "{}", R"({"exp":1800003600})",
                             R"({"nbf":1,"exp":"1800003600"})", R"({"nbf":1,"exp":-1})",
                             R"({"nbf":1,"exp":1e300})", R"({"nbf":1,"exp":1,"exp":1900000000})"}) {
    EXPECT_THAT(Verify(Signed(claims)), Refuses(Reason::kJwsParse)) << claims;
  }
  EXPECT_THAT(Verify(Signed(kClaims, {.typ = "at+jwt", .kid = "k"})), Refuses(Reason::kJwsParse));
  EXPECT_THAT(Verify("a.b.c"), Refuses(Reason::kJwsParse));
}

}  // namespace
}  // namespace bootgate::gatekeeper::token
