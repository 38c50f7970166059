#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/cli/token_keys.h"
#include "gatekeeper/cli/token_verify.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gatekeeper/token/discovery.h"
#include "gatekeeper/token/issuer.h"
#include "gatekeeper/token/ring_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr char kUrl[] = "https://tokens.example";

class TokenVerbs : public token::RingTest {
 protected:
  void SetUp() override {
    RingTest::SetUp();
    ring_ = Open();
    issuer_.emplace(kUrl, *ring_);
    store_ = store::OpenSqlite({.path = folder_ + "/g.db", .create = true}).value();
  }

  std::string File(const std::string& name, const std::string& text) {
    const std::string path = folder_ + "/" + name;
    EXPECT_THAT(WriteFileAtomically(path, AsBytes(text), 0600), IsOk());
    return path;
  }
  std::string Token() {
    const std::vector<Claim> none;
    const token::Plan plan = issuer_
                                 ->PlanToken({.now = clock_.Now(),
                                              .policy_text = "",
                                              .policy_signer_json = "",
                                              .rp_data = {},
                                              .request_key_json = "",
                                              .other_keys_json = "",
                                              .outgoing = none,
                                              .properties = none})
                                 .value();
    return issuer_->Issue(plan).value();
  }
  ExitCode Verify(const TokenVerifyOptions& options, const std::string& input = "",
                  OutputFormat format = OutputFormat::kJson) {
    std::istringstream in(input);
    out_.str("");
    err_.str("");
    return TokenVerify(options, {format, in, out_, err_, clock_});
  }
  Operator Op(OutputFormat format = OutputFormat::kJson) {
    out_.str("");
    return {*store_, clock_, "operator test", format, out_, err_};
  }
  store::AuditRow LastAudit() {
    return store_->ListAudit(store_->GetAuditHead()->sequence - 1, 1)->at(0);
  }

  std::unique_ptr<token::KeyRing> ring_;
  std::optional<token::Issuer> issuer_;
  std::unique_ptr<store::Store> store_;
  std::ostringstream out_, err_;
};

TEST_F(TokenVerbs, VerifyTakesAGoodTokenByKeySetOrByFolder) {
  const std::string token = File("t", Token() + "\n");
  const std::string jwks = File("jwks", token::KeySetText(*issuer_).value());
  EXPECT_EQ(Verify({.file = token, .jwks_file = jwks}), ExitCode::kSuccess) << err_.str();
  const Json shown = Json::parse(out_.str());
  EXPECT_EQ(shown["good"], true);
  EXPECT_EQ(shown["claims"]["iss"], kUrl);
  EXPECT_EQ(shown["header"]["typ"], "JWT");
  EXPECT_EQ(Verify({.file = token, .key_folder = keys_folder()}), ExitCode::kSuccess);
  EXPECT_EQ(Verify({.file = "-", .key_folder = keys_folder(), .issuer = kUrl}, Token()),
            ExitCode::kSuccess);
}

TEST_F(TokenVerbs, VerifySaysWhyATokenIsNotGoodAndWhatItSays) {
  const std::string token = Token();
  std::string altered = token;
  altered[altered.find('.') + 20] ^= 1;
  const struct {
    std::string token;
    std::string issuer;
    const char* reason;
  } rows[] = {{token.substr(0, token.rfind('.') + 1), "", "JWS_SIGNATURE"},
              {token, "https://other.example", "SIGNER_UNTRUSTED"},
              {jose::UnsignedJws("{}"), "", "JWS_ALG"}};
  for (const auto& row : rows) {
    EXPECT_EQ(Verify({.file = "-", .key_folder = keys_folder(), .issuer = row.issuer}, row.token),
              ExitCode::kRejected);
    const Json shown = Json::parse(out_.str());
    EXPECT_EQ(shown["good"], false);
    EXPECT_EQ(shown["reason"], row.reason);
    EXPECT_TRUE(shown["claims"].is_object());
  }
  EXPECT_EQ(Verify({.file = "-", .key_folder = keys_folder()}, altered), ExitCode::kRejected);
  EXPECT_EQ(Verify({.file = "-", .key_folder = keys_folder()}, "no token"), ExitCode::kRejected);
  EXPECT_THAT(err_.str(), HasSubstr("JWS_PARSE"));
  clock_.Advance(absl::Hours(25));
  EXPECT_EQ(Verify({.file = "-", .key_folder = keys_folder()}, token, OutputFormat::kTable),
            ExitCode::kRejected);
  EXPECT_THAT(err_.str(), HasSubstr("TOKEN_EXPIRED"));
  EXPECT_THAT(out_.str(), HasSubstr("claims:"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("is good")));
}

TEST_F(TokenVerbs, VerifyNeedsAKeySetThatCanBeRead) {
  EXPECT_EQ(Verify({.file = "-", .jwks_file = folder_ + "/none"}, Token()), ExitCode::kNotFound);
  EXPECT_NE(Verify({.file = "-", .jwks_file = File("bad", "{}")}, Token()), ExitCode::kSuccess);
}

TEST_F(TokenVerbs, RotateAndListShowTheNewSigner) {
  const std::string token = Token();
  EXPECT_EQ(TokenKeyRotate(Op(), *ring_), ExitCode::kSuccess);
  const std::string kid = Json::parse(out_.str())["kid"];
  EXPECT_EQ(LastAudit().action, "token.key.rotate");
  EXPECT_EQ(LastAudit().subject, kid);
  EXPECT_EQ(TokenKeyList(Op(), *ring_), ExitCode::kSuccess);
  const Json list = Json::parse(out_.str());
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["kid"], kid);
  EXPECT_EQ(list[0]["signs"], true);
  EXPECT_EQ(list[1]["signs"], false);
  EXPECT_EQ(TokenKeyList(Op(OutputFormat::kTable), *ring_), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("published"));
  EXPECT_EQ(Verify({.file = "-", .key_folder = keys_folder()}, token), ExitCode::kSuccess);
}

TEST_F(TokenVerbs, AWithdrawnKeysTokensAreWorthNothing) {
  const std::string token = Token(), kid = ring_->Keys()->at(0).kid;
  EXPECT_EQ(TokenKeyRetire(Op(), *ring_, kid, token::Retirement::kKeepPublished),
            ExitCode::kSuccess);
  EXPECT_EQ(Verify({.file = "-", .key_folder = keys_folder()}, token), ExitCode::kSuccess);
  EXPECT_EQ(TokenKeyRetire(Op(), *ring_, kid, token::Retirement::kWithdraw), ExitCode::kSuccess);
  EXPECT_THAT(LastAudit().detail_json, HasSubstr("\"withdrawn\""));
  EXPECT_EQ(Verify({.file = "-", .key_folder = keys_folder()}, token), ExitCode::kRejected);
  EXPECT_EQ(TokenKeyRetire(Op(), *ring_, kid, token::Retirement::kWithdraw), ExitCode::kNotFound);
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
