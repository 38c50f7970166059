#include "pki/server_identity.h"

#include <filesystem>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class ServerIdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = ::testing::TempDir() + "/bootgate-server-XXXXXX";
    folder_ = mkdtemp(made.data());
    ASSERT_THAT(Authority::Create({folder_}, {.cluster_id = "c", .trust_domain = "d"}, kNow),
                IsOk());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Authority OpenAt(absl::Time now) const { return *Authority::Open({folder_}, now); }
  std::string folder_;
};

TEST_F(ServerIdentityTest, KeyChainAndAuthorityBelongTogether) {
  const Authority authority = OpenAt(kNow);
  BG_ASSERT_OK_AND_ASSIGN(const ServerIdentity identity,
                          ServerIdentity::Make(authority, {.names = {"localhost"}}, kNow));
  BG_ASSERT_OK_AND_ASSIGN(const auto chain, CertificatesFromPem(identity.chain_pem()));
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(DerToPem(chain[1]), authority.issuing_pem());
  BG_ASSERT_OK_AND_ASSIGN(const auto leaf, ParseCertificate(chain[0]));
  BG_ASSERT_OK_AND_ASSIGN(const auto certified, KeyOf(leaf.get()));
  BG_ASSERT_OK_AND_ASSIGN(const auto key,
                          crypto::PrivateKey::FromPem(AsText(identity.key_pem().view())));
  EXPECT_TRUE(key.Public() == certified);
}

TEST_F(ServerIdentityTest, IsDueAfterTwoThirds) {
  BG_ASSERT_OK_AND_ASSIGN(
      const ServerIdentity identity,
      ServerIdentity::Make(OpenAt(kNow), {.names = {"a"}, .lifetime = absl::Hours(30)}, kNow));
  EXPECT_EQ(identity.not_after(), kNow + absl::Hours(30));
  EXPECT_FALSE(identity.IsDue(kNow + absl::Hours(19)));
  EXPECT_TRUE(identity.IsDue(kNow + absl::Hours(20)));
}

TEST_F(ServerIdentityTest, EveryOneHasItsOwnKey) {
  const Authority authority = OpenAt(kNow);
  BG_ASSERT_OK_AND_ASSIGN(const auto a, ServerIdentity::Make(authority, {.names = {"a"}}, kNow));
  BG_ASSERT_OK_AND_ASSIGN(const auto b, ServerIdentity::Make(authority, {.names = {"a"}}, kNow));
  EXPECT_FALSE(a.key_pem().ConstantTimeEquals(b.key_pem().view()));
}

TEST_F(ServerIdentityTest, EndsWithTheIssuingCaAtTheLatest) {
  const absl::Time late = kNow + absl::Hours(24 * 729);
  const Authority authority = OpenAt(late);
  BG_ASSERT_OK_AND_ASSIGN(const auto identity,
                          ServerIdentity::Make(authority, {.names = {"a"}}, late));
  EXPECT_EQ(identity.not_after(), authority.not_after());
}

TEST_F(ServerIdentityTest, NamesThatAreNoneAreRefused) {
  EXPECT_THAT(ServerIdentity::Make(OpenAt(kNow), {.names = {}}, kNow), Refuses(Reason::kCa));
  EXPECT_THAT(ServerIdentity::Make(OpenAt(kNow), {.names = {"a,b"}}, kNow), Refuses(Reason::kCa));
}

}  // namespace
}  // namespace bootgate::pki
