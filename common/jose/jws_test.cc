#include "common/jose/jws.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/kdf.h"
#include "common/jose/jwk.h"
#include "common/jose/rfc_vectors_test.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::jose {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

crypto::PublicKey KeyOf(absl::string_view jwk) { return ParseJwk(jwk).value().key; }
crypto::PrivateKey EcKey(crypto::Curve curve = crypto::Curve::kP256) {
  return crypto::PrivateKey::GenerateEc(curve).value();
}
std::string PayloadText(const VerifiedJws& jws) {
  return std::string(jws.payload().begin(), jws.payload().end());
}
absl::Status VerifyStatus(absl::string_view text, const crypto::PublicKey& key) {
  const absl::StatusOr<ParsedJws> parsed = ParsedJws::Parse(text);
  return parsed.ok() ? parsed->Verify(key).status() : parsed.status();
}

TEST(VerifyJws, HoldsForTheVectorsOfTheStandard) {
  for (const auto& [text, jwk] : {std::pair{kRfcRs256, kRfcRsaJwk}, {kRfcEs256, kRfcEcJwk}}) {
    BG_ASSERT_OK_AND_ASSIGN(const ParsedJws parsed, ParsedJws::Parse(text));
    BG_ASSERT_OK_AND_ASSIGN(const VerifiedJws jws, parsed.Verify(KeyOf(jwk)));
    EXPECT_EQ(PayloadText(jws), kRfcPayload);
  }
}

struct AlgRow {
  const char* name;
  JwsAlg alg;
  crypto::PrivateKey (*key)();
};
void PrintTo(const AlgRow& row, std::ostream* os) { *os << row.name; }
class JwsAlgTest : public ::testing::TestWithParam<AlgRow> {};

TEST_P(JwsAlgTest, WhatIsSignedVerifiesAndNothingElse) {
  const crypto::PrivateKey key = GetParam().key();
  const JwsHeader header{.typ = "JWT",
                         .kid = "a",
                         .jku = "https://a/certs",
                         .x5t = "b",
                         .x5t_s256 = "c",
                         .x5c = {Bytes{1, 2, 3}, Bytes{4}}};
  BG_ASSERT_OK_AND_ASSIGN(const std::string text,
                          SignJws(key, GetParam().alg, header, R"({"a":1})"));
  BG_ASSERT_OK_AND_ASSIGN(const ParsedJws parsed, ParsedJws::Parse(text));
  BG_ASSERT_OK_AND_ASSIGN(const VerifiedJws jws, parsed.Verify(key.Public()));
  EXPECT_EQ(PayloadText(jws), R"({"a":1})");
  EXPECT_EQ(jws.header().alg, GetParam().name);
  EXPECT_EQ(jws.header().kid, "a");
  EXPECT_EQ(jws.header().x5c, header.x5c);
  EXPECT_EQ(jws.header().x5t_s256, "c");

  const crypto::PrivateKey other = GetParam().key();
  EXPECT_THAT(parsed.Verify(other.Public()), Refuses(Reason::kJwsSignature));
  // Every character of payload and signature counts.
  const size_t payload = text.find('.') + 1;
  for (size_t i = payload; i < text.size(); i += 7) {
    std::string altered = text;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(VerifyStatus(altered, key.Public()).ok()) << "position " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, JwsAlgTest,
    ::testing::ValuesIn(std::vector<AlgRow>{
        {"RS256", JwsAlg::kRs256, [] { return crypto::PrivateKey::GenerateRsa(2048).value(); }},
        {"PS256", JwsAlg::kPs256, [] { return crypto::PrivateKey::GenerateRsa(2048).value(); }},
        {"ES256", JwsAlg::kEs256, [] { return EcKey(); }},
        {"ES384", JwsAlg::kEs384, [] { return EcKey(crypto::Curve::kP384); }},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(SignJws, OnlyWithAnAlgorithmOfTheKey) {
  EXPECT_THAT(SignJws(EcKey(), JwsAlg::kRs256, {}, "{}"), Refuses(Reason::kJwsAlg));
  EXPECT_THAT(SignJws(EcKey(crypto::Curve::kP384), JwsAlg::kEs256, {}, "{}"),
              Refuses(Reason::kJwsAlg));
}

// A text under another algorithm than the key's is not even computed.
TEST(VerifyJws, TheAlgorithmMustFitTheKey) {
  EXPECT_THAT(VerifyStatus(kRfcRs256, KeyOf(kRfcEcJwk)), Refuses(Reason::kJwsAlg));
  EXPECT_THAT(VerifyStatus(kRfcEs256, KeyOf(kRfcRsaJwk)), Refuses(Reason::kJwsAlg));
  EXPECT_THAT(VerifyStatus(kRfcEs256, EcKey(crypto::Curve::kP384).Public()),
              Refuses(Reason::kJwsAlg));
}

TEST(VerifyJws, NobodysSignatureIsNoSignature) {
  EXPECT_THAT(VerifyStatus(kRfcUnsecured, KeyOf(kRfcEcJwk)), Refuses(Reason::kJwsAlg));
  for (const char* spelling : {"None", "NONE", "nOnE"}) {
    const std::string text =
        absl::StrCat(ToBase64Url(AsBytes(absl::StrCat("{\"alg\":\"", spelling, "\"}"))), ".e30.");
    EXPECT_THAT(VerifyStatus(text, KeyOf(kRfcEcJwk)), Refuses(Reason::kJwsAlg)) << spelling;
    BG_ASSERT_OK_AND_ASSIGN(const ParsedJws parsed, ParsedJws::Parse(text));
    EXPECT_THAT(parsed.PayloadOfUnsigned(), Refuses(Reason::kJwsAlg)) << spelling;
  }
}

// The public key is public: an HMAC under its bytes proves nothing.
TEST(VerifyJws, A_PublicKeyIsNoSharedSecret) {
  EXPECT_THAT(VerifyStatus(kRfcHs256, KeyOf(kRfcRsaJwk)), Refuses(Reason::kJwsAlg));
  const std::string input = absl::StrCat(ToBase64Url(AsBytes("{\"alg\":\"HS256\"}")), ".e30");
  const Bytes secret = KeyOf(kRfcRsaJwk).SpkiDer();
  const crypto::Digest mac = crypto::Hmac(crypto::HashAlg::kSha256, secret, {AsBytes(input)});
  EXPECT_THAT(VerifyStatus(absl::StrCat(input, ".", ToBase64Url(mac.view())), KeyOf(kRfcRsaJwk)),
              Refuses(Reason::kJwsAlg));
}

// What the header brings along is not trusted: the key is the caller's.
TEST(VerifyJws, AKeyInTheHeaderIsNotUsed) {
  const crypto::PrivateKey attacker = EcKey();
  const std::string header =
      absl::StrCat(R"({"alg":"ES256","jwk":)", JwkText(attacker.Public()), "}");
  const std::string input = absl::StrCat(ToBase64Url(AsBytes(header)), ".e30");
  BG_ASSERT_OK_AND_ASSIGN(const std::string made, SignJws(attacker, JwsAlg::kEs256, {}, "{}"));
  const std::vector<std::string> parts = absl::StrSplit(made, '.');
  EXPECT_THAT(VerifyStatus(absl::StrCat(input, ".", parts[2]), KeyOf(kRfcEcJwk)),
              Refuses(Reason::kJwsSignature));
}

// The JSON forms have headers that nobody signed, and may have several signatures.
TEST(Attack, A27_OnlyTheFormWithOneSignedCopyOfEachPartIsRead) {
  BG_ASSERT_OK_AND_ASSIGN(const std::string made, SignJws(EcKey(), JwsAlg::kEs256, {}, "{}"));
  const std::vector<std::string> parts = absl::StrSplit(made, '.');
  const std::string flat = absl::StrCat(R"({"protected":")", parts[0], R"(","payload":")", parts[1],
                                        R"(","signature":")", parts[2], "\"");
  for (const std::string& text :
       {absl::StrCat(flat, "}"), absl::StrCat(flat, R"(,"header":{"kid":"other"}})"),
        absl::StrCat(made, ".", parts[1]), absl::StrCat(parts[0], ".", made),
        absl::StrCat(made, "\n", made)}) {
    EXPECT_THAT(ParsedJws::Parse(text), Refuses(Reason::kJwsParse)) << text;
  }
}

TEST(VerifyJws, EmptyAndZeroSignaturesAreRefused) {
  const absl::string_view text = kRfcEs256;
  const std::string input(text.substr(0, text.rfind('.') + 1));
  for (const Bytes& signature :
       {Bytes{}, Bytes(64, 0), Bytes(63, 1), Bytes(65, 1), Bytes(64, 0xff)}) {
    EXPECT_THAT(VerifyStatus(absl::StrCat(input, ToBase64Url(signature)), KeyOf(kRfcEcJwk)),
                Refuses(Reason::kJwsSignature));
  }
}

// JWA wants r and s side by side; the DER of other protocols is not a second spelling of it.
TEST(VerifyJws, AnEcdsaSignatureInDerIsRefused) {
  const crypto::PrivateKey key = EcKey();
  const std::string input = absl::StrCat(ToBase64Url(AsBytes("{\"alg\":\"ES256\"}")), ".e30");
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der,
                          key.Sign(crypto::SignatureScheme::kEcdsa,
                                   crypto::Hash(crypto::HashAlg::kSha256, AsBytes(input))));
  EXPECT_THAT(VerifyStatus(absl::StrCat(input, ".", ToBase64Url(der)), key.Public()),
              Refuses(Reason::kJwsSignature));
}

TEST(UnsignedJws, IsReadOnlyByTheFunctionForIt) {
  BG_ASSERT_OK_AND_ASSIGN(const ParsedJws rfc, ParsedJws::Parse(kRfcUnsecured));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes payload, rfc.PayloadOfUnsigned());
  EXPECT_EQ(AsText(payload), kRfcPayload);
  BG_ASSERT_OK_AND_ASSIGN(const ParsedJws ours, ParsedJws::Parse(UnsignedJws("{\"a\":1}")));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes own, ours.PayloadOfUnsigned());
  EXPECT_EQ(AsText(own), "{\"a\":1}");
}

TEST(UnsignedJws, IsNotWhatBearsASignature) {
  BG_ASSERT_OK_AND_ASSIGN(const ParsedJws with_tail,
                          ParsedJws::Parse(absl::StrCat(kRfcUnsecured, "AAAA")));
  EXPECT_THAT(with_tail.PayloadOfUnsigned(), Refuses(Reason::kJwsAlg));
  BG_ASSERT_OK_AND_ASSIGN(const ParsedJws signed_text, ParsedJws::Parse(kRfcEs256));
  EXPECT_THAT(signed_text.PayloadOfUnsigned(), Refuses(Reason::kJwsAlg));
}

struct BadRow {
  const char* name;
  std::string text;
  const char* says;
};
void PrintTo(const BadRow& row, std::ostream* os) { *os << row.name; }
class ParseJwsRefuses : public ::testing::TestWithParam<BadRow> {};

TEST_P(ParseJwsRefuses, WithAReason) {
  const absl::StatusOr<ParsedJws> parsed = ParsedJws::Parse(GetParam().text);
  EXPECT_THAT(parsed, Refuses(Reason::kJwsParse));
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(GetParam().says));
}

std::string WithHeader(absl::string_view header) {
  return absl::StrCat(ToBase64Url(AsBytes(header)), ".e30.AAAA");
}
std::string LongHeader() {
  return WithHeader(absl::StrCat("{\"alg\":\"ES256\",\"a\":\"", std::string(70000, 'a'), "\"}"));
}
std::string LongChain() {
  std::string chain = "\"AAAA\"";
  for (size_t i = 0; i < kMaxChain; ++i) absl::StrAppend(&chain, ",\"AAAA\"");
  return WithHeader(absl::StrCat("{\"alg\":\"ES256\",\"x5c\":[", chain, "]}"));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, ParseJwsRefuses,
    ::testing::ValuesIn(std::vector<BadRow>{
        {"Empty", "", "three parts"},
        {"TwoParts", "e30.e30", "three parts"},
        {"FourParts", absl::StrCat(kRfcEs256, ".AAAA"), "three parts"},
        {"FiveParts", absl::StrCat(kRfcEs256, ".AAAA.AAAA"), "three parts"},
        {"Padding", absl::StrCat(kRfcEs256, "="), "signature is not base64url"},
        {"LineBreak", absl::StrCat(kRfcEs256, "\n"), "signature is not base64url"},
        {"SpaceInHeader", absl::StrCat(" ", kRfcEs256), "header is not base64url"},
        {"StrayBits", absl::StrReplaceAll(kRfcEs256, {{"Kg6NU1Q", "Kg6NU1R"}}),
         "signature is not base64url"},
        {"StandardAlphabet", "e30/.e30.AAAA", "header is not base64url"},
        {"NoJson", WithHeader("ES256"), "no JSON"},
        {"NoAlg", WithHeader("{}"), "\"alg\" is missing"},
        {"AlgTwice", WithHeader(R"({"alg":"none","alg":"ES256"})"), "stands twice"},
        {"AlgNoText", WithHeader(R"({"alg":["ES256"]})"), "\"alg\""},
        {"Crit", WithHeader(R"({"alg":"ES256","crit":["exp"]})"), "\"crit\""},
        {"EmptyCrit", WithHeader(R"({"alg":"ES256","crit":[]})"), "\"crit\""},
        {"Unencoded", WithHeader(R"({"alg":"ES256","b64":false})"), "\"b64\""},
        {"ChainNoList", WithHeader(R"({"alg":"ES256","x5c":"AAAA"})"), "x5c"},
        {"ChainEmpty", WithHeader(R"({"alg":"ES256","x5c":[]})"), "x5c"},
        {"ChainOfNumbers", WithHeader(R"({"alg":"ES256","x5c":[1]})"), "no text"},
        {"ChainBase64Url", WithHeader(R"({"alg":"ES256","x5c":["__-_"]})"), "not base64"},
        {"ChainTooLong", LongChain(), "x5c"},
        {"HeaderTooLong", LongHeader(), "too long"},
        {"TextTooLong", std::string(kMaxJwsBytes + 1, 'a'), "at most"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::jose
