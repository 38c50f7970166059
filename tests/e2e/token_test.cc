// Tokens from end to end: a host on a software TPM attests, a relying party verifies what it got.
#include <httplib.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/jose/jwk.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/token/verify.h"
#include "tests/e2e/ends_with.h"
#include "tests/e2e/world.h"

namespace bootgate::e2e {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
using testing::IsOk;

const std::string kJoseFolder = testing::SourcePath("tests/jose");

struct Answer {
  int status = 0;
  std::string body;
};

Answer Get(const std::string& url, const std::string& path) {
  httplib::Client client(url);
  const httplib::Result result = client.Get(path.c_str());
  return result ? Answer{result->status, result->body} : Answer{};
}

class TokenEnd : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(world_.Join(), Succeeds()); }

  // What the agent prints: a token of an attestation made now.
  std::string Token(const std::string& rp_data_hex = "00ff") const {
    const Ran ran = world_.host.Verb({"token", "--rp-data", rp_data_hex});
    EXPECT_THAT(ran, Succeeds()) << ran.err;
    return std::string(absl::StripSuffix(ran.out, "\n"));
  }
  // By the key set as it is served now.
  absl::StatusOr<gatekeeper::token::VerifiedToken> Verify(const std::string& token) const {
    const std::string url = world_.gatekeeper.Url();
    const auto keys = jose::ParseJwkSet(Get(url, "/certs").body);
    if (!keys.ok()) return keys.status();
    return gatekeeper::token::VerifyToken(token, *keys, {.now = absl::Now(), .issuer = url});
  }
  std::string File(const std::string& name, const std::string& text) const {
    const std::string path = world_.gatekeeper.Beside(name);
    EXPECT_THAT(WriteFileAtomically(path, AsBytes(text), 0600), IsOk());
    return path;
  }

  World world_;
};

TEST_F(TokenEnd, AHostsTokenVerifiesByTheServedKeySet) {
  const std::string token = Token();
  BG_ASSERT_OK_AND_ASSIGN(const auto verified, Verify(token));
  const Json claims = Json::parse(verified.claims_json);
  EXPECT_EQ(claims["x-ms-attestation-type"], "tpm");
  EXPECT_EQ(claims["rp_data"], ToBase64Url(Bytes{0x00, 0xff}));
  EXPECT_EQ(claims["cnf"]["jwk"], claims["x-ms-tpm-request-key"]["jwk"]);

  const std::string url = world_.gatekeeper.Url();
  const Json discovery = Json::parse(Get(url, "/.well-known/openid-configuration").body);
  EXPECT_EQ(discovery["issuer"], url);
  EXPECT_EQ(discovery["jwks_uri"], url + "/certs");
  EXPECT_EQ(Get(url, "/jwks").body, Get(url, "/certs").body);
}

TEST_F(TokenEnd, RotationKeepsOldTokensAndSignsNewOnesWithTheNewKey) {
  const std::string before = Token();
  const Json rotated = Json::parse(world_.gatekeeper.Do({"token", "key", "rotate", "-o", "json"}));
  const std::string after = Token();
  BG_ASSERT_OK_AND_ASSIGN(const auto old_token, Verify(before));
  BG_ASSERT_OK_AND_ASSIGN(const auto new_token, Verify(after));
  EXPECT_EQ(new_token.kid, rotated["kid"].get<std::string>());
  EXPECT_NE(old_token.kid, rotated["kid"].get<std::string>());
  EXPECT_THAT(world_.gatekeeper.Do({"token", "key", "list"}), HasSubstr(old_token.kid));

  world_.gatekeeper.Do({"token", "key", "retire", old_token.kid, "--withdraw"});
  EXPECT_FALSE(Verify(before).ok());
  EXPECT_THAT(Verify(after), IsOk());
}

TEST_F(TokenEnd, KeysSurviveARestart) {
  const std::string token = Token();
  BG_ASSERT_OK_AND_ASSIGN(const auto verified, Verify(token));
  ASSERT_EQ(world_.gatekeeper.End(SIGTERM), 0);
  world_.gatekeeper.Start();
  const auto keys = jose::ParseJwkSet(Get(world_.gatekeeper.Url(), "/certs").body);
  ASSERT_THAT(keys, IsOk());
  EXPECT_THAT(gatekeeper::token::VerifyToken(token, *keys, {.now = absl::Now()}), IsOk());
}

TEST_F(TokenEnd, TheOperatorsVerbSaysWhetherATokenIsGood) {
  const std::string token = Token();
  const std::string file = File("token", token),
                    jwks = File("jwks", Get(world_.gatekeeper.Url(), "/certs").body);
  const Ran good = RunProgram(
      {Program("bootgate-gatekeeper"), "token", "verify", file, "--jwks", jwks, "-o", "json"});
  EXPECT_THAT(good, Succeeds()) << good.err;
  EXPECT_EQ(Json::parse(good.out)["good"], true);
  EXPECT_THAT(world_.gatekeeper.Verb({"token", "verify", file}), Succeeds());
  const Ran bad = world_.gatekeeper.Verb({"token", "verify", File("cut", token + "A")});
  EXPECT_THAT(bad, EndsWith(ExitCode::kRejected));
}

TEST_F(TokenEnd, HealthAndFiguresAreServed) {
  Token();
  const std::string url = world_.gatekeeper.Url();
  EXPECT_EQ(Get(url, "/livez").status, 200);
  EXPECT_EQ(Get(url, "/readyz").status, 200);
  EXPECT_EQ(Get(url, "/nothing").status, 404);
  const std::string figures = Get(url, "/metrics").body;
  EXPECT_THAT(figures, HasSubstr("bootgate_submissions_total{outcome=\"ADMIT\"} "));
  EXPECT_THAT(figures, HasSubstr("bootgate_hosts{trust=\"trusted\"} 1\n"));
  EXPECT_THAT(figures, HasSubstr("bootgate_tokens_issued_total 1\n"));
  EXPECT_THAT(figures,
              HasSubstr("bootgate_requests_answered_total{method=\"Attestation.Submit\"}"));
}

// A library that is not ours believes the token, and none of those that are made from it; neither
// does our own verifier.
TEST_F(TokenEnd, AJoseLibraryVerifiesItToo) {
  if (RunProgram({"/bin/sh", "-c", "command -v node"}).exit_code != 0) {
    GTEST_SKIP() << "there is no node on this machine; scripts/test installs it";
  }
  ASSERT_TRUE(FileExists(absl::StrCat(kJoseFolder, "/node_modules/jose/package.json")))
      << "the library is not installed: run scripts/test, or npm ci in tests/jose";
  const std::string url = world_.gatekeeper.Url();
  const Ran ran = RunProgram({"/usr/bin/env", "node", absl::StrCat(kJoseFolder, "/verify.mjs"), url,
                              File("token", Token())});
  ASSERT_THAT(ran, Succeeds()) << ran.err;
  const Json said = Json::parse(ran.out);
  EXPECT_EQ(said["header"]["alg"], "ES256");
  EXPECT_EQ(said["claims"]["iss"], url);
  ASSERT_EQ(said["bad"].size(), 4u);
  for (const auto& [name, token] : said["bad"].items()) {
    EXPECT_FALSE(Verify(token.get<std::string>()).ok()) << name;
  }
}

TEST(TokenEndRsa, ARelyingPartyOfRs256IsServedToo) {
  World world({}, "");
  world.gatekeeper.End(SIGTERM);
  const std::string path = world.gatekeeper.folder() + "/gatekeeper.toml";
  const std::string config = ReadTextFile(path, 1 << 20).value();
  const size_t at = config.find("[token]\n");
  ASSERT_NE(at, std::string::npos);
  ASSERT_THAT(
      WriteFileAtomically(path,
                          AsBytes(config.substr(0, at) + "[token]\nalgorithm = \"RS256\"\n" +
                                  config.substr(at + sizeof("[token]\n") - 1)),
                          0600),
      IsOk());
  world.gatekeeper.Start();
  ASSERT_THAT(world.Join(), Succeeds());
  const Ran ran = world.host.Verb({"token"});
  ASSERT_THAT(ran, Succeeds()) << ran.err;
  const auto keys = jose::ParseJwkSet(Get(world.gatekeeper.Url(), "/certs").body);
  ASSERT_THAT(keys, IsOk());
  const std::string token(absl::StripSuffix(ran.out, "\n"));
  EXPECT_THAT(gatekeeper::token::VerifyToken(token, *keys, {.now = absl::Now()}), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto text, gatekeeper::token::ReadToken(token));
  EXPECT_EQ(Json::parse(text.header_json)["alg"], "RS256");
}

}  // namespace
}  // namespace bootgate::e2e
