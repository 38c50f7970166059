#include "common/jose/jwk.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/private_key.h"
#include "common/jose/rfc_vectors_test.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::jose {
namespace {

using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ParseJwkSet, ReadsTheKeysOfTheStandard) {
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<Jwk> keys, ParseJwkSet(kRfcKeySet));
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].key.curve(), crypto::Curve::kP256);
  EXPECT_EQ(keys[0].notes.use, "enc");
  EXPECT_EQ(keys[1].key.bits(), 2048);
  EXPECT_EQ(keys[1].notes.kid, "2011-04-29");
  EXPECT_EQ(keys[1].notes.alg, "RS256");
}

TEST(Thumbprint, IsThatOfTheStandard) {
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<Jwk> keys, ParseJwkSet(kRfcKeySet));
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(ThumbprintText(keys[1].key), kRfcThumbprint);
}

TEST(JwkText, IsReadBackAsTheSameKey) {
  for (const crypto::Curve curve :
       {crypto::Curve::kP256, crypto::Curve::kP384, crypto::Curve::kP521}) {
    BG_ASSERT_OK_AND_ASSIGN(const auto key, crypto::PrivateKey::GenerateEc(curve));
    BG_ASSERT_OK_AND_ASSIGN(const Jwk read, ParseJwk(JwkText(key.Public())));
    EXPECT_TRUE(read.key == key.Public());
  }
  BG_ASSERT_OK_AND_ASSIGN(const auto rsa, crypto::PrivateKey::GenerateRsa(2048));
  const Jwk jwk{rsa.Public(), {.kid = "a \"kid\"", .use = "sig", .alg = "RS256"}};
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<Jwk> read, ParseJwkSet(JwkSetText({jwk})));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_TRUE(read[0].key == rsa.Public());
  EXPECT_EQ(read[0].notes.kid, "a \"kid\"");
  EXPECT_EQ(read[0].notes.use, "sig");
}

TEST(JwkText, HasItsMembersInOrderAndNothingElse) {
  BG_ASSERT_OK_AND_ASSIGN(const Jwk jwk, ParseJwk(kRfcEcJwk));
  EXPECT_EQ(JwkText(jwk.key),
            R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
}

TEST(ParseJwkSet, SkipsKindsOfKeysThatAreNotOurs) {
  const std::string set = absl::StrCat(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11"},)",
                                       kRfcEcJwk, R"(],"more":1})");
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<Jwk> keys, ParseJwkSet(set));
  EXPECT_EQ(keys.size(), 1u);
}

struct Row {
  const char* name;
  std::string jwk;
  Reason reason;
  const char* says;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }
class ParseJwkRefuses : public ::testing::TestWithParam<Row> {};

TEST_P(ParseJwkRefuses, WithAReason) {
  const absl::StatusOr<Jwk> jwk = ParseJwk(GetParam().jwk);
  EXPECT_THAT(jwk, Refuses(GetParam().reason));
  EXPECT_THAT(std::string(jwk.status().message()), HasSubstr(GetParam().says));
}

std::string Ec(const char* from, const char* to) {
  return absl::StrReplaceAll(kRfcEcJwk, {{from, to}});
}
std::string Rsa(const char* from, const char* to) {
  return absl::StrReplaceAll(kRfcRsaJwk, {{from, to}});
}

INSTANTIATE_TEST_SUITE_P(
    Keys, ParseJwkRefuses,
    ::testing::ValuesIn(std::vector<Row>{
        {"NoObject", "[]", Reason::kJwsParse, "no JSON object"},
        {"NoKind", Ec("\"kty\":\"EC\",", ""), Reason::kJwsParse, "\"kty\" is missing"},
        {"OtherKind", Ec("\"EC\"", "\"OKP\""), Reason::kJwsParse, "not supported"},
        {"SharedKey", R"({"kty":"oct","k":"AAAA"})", Reason::kJwsParse, "private member \"k\""},
        {"PrivateEc", Ec("}", ",\"d\":\"AAAA\"}"), Reason::kJwsParse, "private member \"d\""},
        {"PrivateRsa", Rsa("}", ",\"qi\":\"AAAA\"}"), Reason::kJwsParse, "private member"},
        {"OtherCurve", Ec("P-256", "secp256k1"), Reason::kJwsParse, "curve"},
        {"Padded", Ec("RVEU", "RVEU="), Reason::kJwsParse, "not base64url"},
        {"StandardAlphabet", Ec("y\":\"x_F", "y\":\"x/F"), Reason::kJwsParse, "not base64url"},
        {"ShortX", Ec("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "f83O"), Reason::kJwsParse,
         "as long as the curve's field"},
        {"OffTheCurve", Ec("f83O", "f83P"), Reason::kKeyWeak, ""},
        {"NumberForText", R"({"kty":"EC","crv":"P-256","x":1,"y":2})", Reason::kJwsParse, "\"x\""},
        {"ShortRsa", R"({"kty":"RSA","n":"ofgWCuLjybRl","e":"AQAB"})", Reason::kKeyWeak, ""},
        {"LeadingZeroExponent", Rsa("AQAB", "AAEAAQ"), Reason::kJwsParse, "leading zeros"},
        {"ExponentOne", Rsa("AQAB", "AQ"), Reason::kKeyWeak, ""},
        {"LongExponent", Rsa("AQAB", "AQAAAAAB"), Reason::kKeyTooLarge, "exponent"},
        {"LongModulus",
         absl::StrCat(R"({"kty":"RSA","n":")", ToBase64Url(Bytes(1025, 0xff)),
                      "\",\"e\":\"AQAB\"}"),
         Reason::kKeyTooLarge, ""},
        {"Twice", Ec("}", ",\"kty\":\"EC\"}"), Reason::kJwsParse, "stands twice"},
        {"EmptyChain", Ec("}", ",\"x5c\":[]}"), Reason::kJwsParse, "x5c"},
        {"ChainOfNoCertificate", Ec("}", ",\"x5c\":[\"AAAA\"]}"), Reason::kCertParse, ""},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ParseJwkSet, RefusesSetsOfTooManyKeys) {
  std::string keys;
  for (size_t i = 0; i <= kMaxKeysInSet; ++i) absl::StrAppend(&keys, i == 0 ? "" : ",", "{}");
  EXPECT_THAT(ParseJwkSet(absl::StrCat("{\"keys\":[", keys, "]}")), Refuses(Reason::kJwsParse));
  EXPECT_THAT(ParseJwkSet("{}"), Refuses(Reason::kJwsParse));
  EXPECT_THAT(ParseJwkSet(R"({"keys":[1]})"), Refuses(Reason::kJwsParse));
}

}  // namespace
}  // namespace bootgate::jose
