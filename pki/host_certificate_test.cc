#include "pki/host_certificate.h"

#include "common/crypto/private_key.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "pki/authority.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::Refuses;

class HostCertificateTest : public ::testing::Test {
 protected:
  HostCertificateTest() {
    std::string pattern = ::testing::TempDir() + "/hostcert.XXXXXX";
    const AuthorityFiles files{.folder = mkdtemp(pattern.data())};
    const absl::Status made =
        Authority::Create(files, {.cluster_id = "c1", .trust_domain = "t.example"}, kNow);
    EXPECT_TRUE(made.ok()) << made;
    authority_.emplace(*Authority::Open(files, kNow));
  }

  const absl::Time kNow = absl::FromUnixSeconds(1790000000);
  std::optional<Authority> authority_;
  crypto::PrivateKey key_ = *crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
};

TEST_F(HostCertificateTest, SaysWhoAndWhich) {
  const std::string serial = NewSerialHex();
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der,
                          authority_->IssueHost({.serial_hex = serial,
                                                 .host_id = "h-0123456789abcdef0123456789abcdef",
                                                 .verdict_id = "v-1",
                                                 .policy_id = std::string(64, 'a'),
                                                 .claims_digest_hex = std::string(64, 'b'),
                                                 .not_before = kNow,
                                                 .not_after = kNow + absl::Hours(1)},
                                                key_.Public()));
  BG_ASSERT_OK_AND_ASSIGN(const HostCertificate read, ReadHostCertificate(DerToPem(der)));
  EXPECT_EQ(read.host_id, "h-0123456789abcdef0123456789abcdef");
  EXPECT_EQ(read.serial_hex, serial);
}

TEST_F(HostCertificateTest, OtherCertificatesOfOursBearNoHost) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes der, authority_->IssueServer({"localhost"}, key_.Public(),
                                                                   kNow, kNow + absl::Hours(1)));
  EXPECT_THAT(ReadHostCertificate(DerToPem(der)), Refuses(Reason::kCertParse));
  EXPECT_FALSE(ReadHostCertificate("-----BEGIN NONSENSE-----").ok());
}

}  // namespace
}  // namespace bootgate::pki
