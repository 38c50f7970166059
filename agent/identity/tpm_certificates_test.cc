#include "agent/identity/tpm_certificates.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::agent::identity {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

class TpmCertificatesTest : public ::testing::Test {
 protected:
  TpmCertificatesTest() {
    std::string made = ::testing::TempDir() + "/certificates.XXXXXX";
    folder_ = mkdtemp(made.data());
  }
  static JoinState Joined() {
    JoinState state;
    state.gatekeeper = "gate:9743";
    state.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    state.cluster_id = "c1";
    state.host_id = "h-00112233445566778899aabbccddeeff";
    state.ek_name = Bytes(34, 0x0b);
    return state;
  }
  std::string folder_;
};

TEST_F(TpmCertificatesTest, OwnEkCertificateIsOfOneCluster) {
  EXPECT_EQ(LoadOwnEkCertificate(folder_, "c1").value(), Bytes());
  ASSERT_THAT(StoreOwnEkCertificate(folder_, "c1", Bytes{1, 2, 3}), IsOk());
  EXPECT_EQ(LoadOwnEkCertificate(folder_, "c1").value(), (Bytes{1, 2, 3}));
  EXPECT_EQ(LoadOwnEkCertificate(folder_, "c2").value(), Bytes());
  ASSERT_THAT(RemoveState(folder_), IsOk());
  EXPECT_EQ(LoadOwnEkCertificate(folder_, "c1").value(), (Bytes{1, 2, 3}))
      << "it is of the TPM, not of the enrolment";
}

TEST_F(TpmCertificatesTest, Attack_A64_PoisonedFileIsNotRead) {
  ASSERT_THAT(StoreOwnEkCertificate(folder_, "c1", Bytes{1}), IsOk());
  ASSERT_EQ(chmod((folder_ + "/ek-certificate.json").c_str(), 0666), 0);
  EXPECT_THAT(LoadOwnEkCertificate(folder_, "c1"), Refuses(Reason::kStateCorrupt));
  ASSERT_THAT(WriteFileAtomically(folder_ + "/ek-certificate.json", AsBytes("{}"), 0600), IsOk());
  EXPECT_THAT(LoadOwnEkCertificate(folder_, "c1"), Refuses(Reason::kStateCorrupt));
}

TEST_F(TpmCertificatesTest, AkCertificateIsRenewedInTheJoinStateOfItsEnrolment) {
  ASSERT_THAT(SaveJoinState(folder_, Joined()), IsOk());
  ASSERT_THAT(StoreAkCertificate(folder_, Joined(), Bytes{7}), IsOk());
  EXPECT_EQ(LoadJoinState(folder_)->ak_certificate, Bytes{7});
  JoinState other = Joined();
  other.host_id = "h-ffffffffffffffffffffffffffffffff";
  EXPECT_THAT(StoreAkCertificate(folder_, other, Bytes{8}), HasCode(absl::StatusCode::kAborted));
  EXPECT_EQ(LoadJoinState(folder_)->ak_certificate, Bytes{7});
}

}  // namespace
}  // namespace bootgate::agent::identity
