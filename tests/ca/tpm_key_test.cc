// CA keys in a TPM, by OpenSSL's provider tpm2, on swtpm.
#include "pki/tpm_key.h"

#include <stdlib.h>

#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/ca_steps.h"
#include "tests/desk/scratch_folder.h"
#include "tests/desk/software_tpm.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class TpmKeyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(desk::Manufacture(State(), scratch_.path() + "/vendor", "1"), IsOk());
    PowerOn();
    setenv("TPM2OPENSSL_TCTI", tpm_.tcti().c_str(), 1);
  }
  void TearDown() override { PowerOff(); }

  void PowerOn() {
    auto started = desk::StartTpm(State(), scratch_.path() + "/tpm", desk::Lifetime::kWithParent);
    ASSERT_TRUE(started.ok()) << started.status();
    tpm_ = *started;
  }
  void PowerOff() {
    if (tpm_.pid != 0) {
      EXPECT_THAT(desk::StopTpm(tpm_), IsOk());
    }
    tpm_.pid = 0;
  }
  std::string State() const { return scratch_.path() + "/state"; }

  desk::ScratchFolder scratch_;
  desk::RunningTpm tpm_;
};

TEST_F(TpmKeyTest, ACaSignsInTheTpmAndADeadOneComesBack) {
  const std::string path = scratch_.path() + "/key.tpm";
  BG_ASSERT_OK_AND_ASSIGN(const auto made, MakeTpmKey(path, crypto::Curve::kP256));
  BG_ASSERT_OK_AND_ASSIGN(const std::string pem, ReadTextFile(path, 65536));
  EXPECT_THAT(pem, HasSubstr("TSS2 PRIVATE KEY"));
  EXPECT_THAT(MakeTpmKey(path, crypto::Curve::kP256).status(),
              HasCode(absl::StatusCode::kAlreadyExists));
  const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, AsBytes("something"));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, made->Sign(digest));
  EXPECT_THAT(made->Public().Verify(crypto::SignatureScheme::kEcdsa, digest, signature), IsOk());

  PowerOff();
  const absl::Status dead = made->Sign(digest).status();
  EXPECT_THAT(dead, HasCode(absl::StatusCode::kUnavailable));
  EXPECT_THAT(dead, Refuses(Reason::kCaKey));
  EXPECT_THAT(std::string(dead.message()), HasSubstr(path));
  PowerOn();
  EXPECT_THAT(made->Sign(digest).status(), IsOk());
}

TEST_F(TpmKeyTest, AWholeCaWithItsKeysInTheTpm) {
  CaPlan plan{
      .folder = scratch_.path() + "/ca", .cluster_id = "lab", .trust_domain = "lab.example"};
  plan.key = {.kind = KeySpec::Kind::kTpm};
  ASSERT_THAT(CreateCas(plan, kNow).status(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const Authority authority, Authority::Open({plan.folder}, kNow));
  BG_ASSERT_OK_AND_ASSIGN(const auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  EXPECT_THAT(
      authority.IssueServer({"gate.example"}, key.Public(), kNow, kNow + absl::Hours(1)).status(),
      IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const CaStep next, RotateCa(plan.folder, CaUse::kServers, std::nullopt,
                                                      absl::Hours(24), kNow));
  EXPECT_EQ(next.ca.key.file, "servers-2.tpm");
}

TEST_F(TpmKeyTest, AnotherTpmsKeyIsNotTaken) {
  const std::string path = scratch_.path() + "/key.tpm";
  BG_ASSERT_OK_AND_ASSIGN(const auto made, MakeTpmKey(path, crypto::Curve::kP256));
  BG_ASSERT_OK_AND_ASSIGN(const auto other, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  BG_ASSERT_OK_AND_ASSIGN(const auto holder, OpenTpmKey(path, other.Public()));
  const absl::Status status =
      holder->Sign(crypto::Hash(crypto::HashAlg::kSha256, AsBytes("x"))).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("not the key of the certificate"));
}

}  // namespace
}  // namespace bootgate::pki
