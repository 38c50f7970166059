#include "common/jose/x5c.h"

#include <filesystem>

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/crypto/private_key.h"
#include "common/jose/jwk.h"
#include "common/jose/jws.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"

namespace bootgate::jose {
namespace {

using ::bootgate::testing::Refuses;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class X5cTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "/bootgate-x5c-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    const pki::AuthorityFiles files{.folder = folder_ + "/ca"};
    ASSERT_TRUE(pki::Authority::Create(files, {.cluster_id = "a", .trust_domain = "a"}, kNow).ok());
    authority_ = pki::Authority::Open(files, kNow).value();
    key_ = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
    leaf_ =
        authority_->IssueServer({"signer"}, key_->Public(), kNow, kNow + absl::Hours(1)).value();
    issuing_ = pki::PemToDer(authority_->issuing_pem()).value();
    root_ = pki::PemToDer(authority_->root_pem()).value();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::optional<pki::Authority> authority_;
  std::optional<crypto::PrivateKey> key_;
  Bytes leaf_, issuing_, root_;
};

TEST_F(X5cTest, ASignedTextBringsItsChainToAConfiguredRoot) {
  const JwsHeader header{.x5c = {leaf_, issuing_}};
  BG_ASSERT_OK_AND_ASSIGN(const std::string text, SignJws(*key_, JwsAlg::kEs256, header, "{}"));
  BG_ASSERT_OK_AND_ASSIGN(const ParsedJws parsed, ParsedJws::Parse(text));
  BG_ASSERT_OK_AND_ASSIGN(const crypto::PublicKey key, VerifyX5c(parsed.untrusted_header().x5c,
                                                                 std::vector<Bytes>{root_}, kNow));
  BG_ASSERT_OK_AND_ASSIGN(const VerifiedJws jws, parsed.Verify(key));
  EXPECT_TRUE(jws.key() == key_->Public());
}

TEST_F(X5cTest, AnIssuingCaIsNoRoot) {
  EXPECT_THAT(VerifyX5c(std::vector<Bytes>{leaf_}, std::vector<Bytes>{issuing_}, kNow),
              Refuses(Reason::kSignerUntrusted));
}

TEST_F(X5cTest, AJwkCarriesItsChainOnlyWhenItIsTheKeys) {
  const Jwk jwk{key_->Public(), {.kid = "k", .x5c = {leaf_, issuing_}}};
  BG_ASSERT_OK_AND_ASSIGN(const Jwk read, ParseJwk(JwkText(jwk)));
  EXPECT_EQ(read.notes.x5c, jwk.notes.x5c);
  const Jwk foreign{key_->Public(), {.x5c = {issuing_}}};
  EXPECT_THAT(ParseJwk(JwkText(foreign)), Refuses(Reason::kJwsParse));
}

TEST(X5t, IsTheDigestOfTheCertificate) {
  EXPECT_EQ(X5t(AsBytes("abc")), "qZk-NkcGgWq6PiVxeFDCbJzQ2J0");
  EXPECT_EQ(X5tS256(AsBytes("abc")), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

}  // namespace
}  // namespace bootgate::jose
