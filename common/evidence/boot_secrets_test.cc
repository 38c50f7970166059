#include "common/evidence/boot_secrets.h"

#include "common/base/reason.h"
#include "common/crypto/random.h"
#include "common/evidence/sealed_payload.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/approval.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::evidence {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";
constexpr char kOtherHost[] = "h-ff112233445566778899aabbccddeeff";

class BootSecretsTest : public ::testing::Test {
 protected:
  BootSecretsTest() {
    Secrets secrets;
    secrets.emplace("disk", SecretBytes(AsBytes("the disk's key")));
    made_.generation = 3;
    made_.selection = registers::ParseSelection("sha256:0-9").value();
    made_.approving_key = tpm2::ApprovingKeyArea(key_.Public()).value();
    const tpm2::Public area = tpm2::Public::FromTpmt(made_.approving_key).value();
    made_.blob =
        tpm2::SealForImport(ek_.area(), tpm2::AuthorizedPolicy(area.Name(), PolicyRef(kHost, 3)),
                            payload_key_)
            .value();
    made_.payload = CloseBootSecrets(payload_key_, kHost, 3, secrets).value();
    Approve(Bytes(32, 1), PolicyRef(kHost, 3));
  }
  void Approve(const Bytes& policy, const Bytes& ref) {
    made_.approvals.push_back({policy, tpm2::SignApproval(key_, policy, ref).value()});
  }
  static auto IsBad() { return Refuses(Reason::kSealApproval); }

  const crypto::PrivateKey key_ = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  const tpm2::soft_tpm::SoftStorageKey ek_ =
      tpm2::soft_tpm::SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
  const SecretBytes payload_key_ = crypto::RandomSecret(kSealedKeySize);
  BootSecrets made_;
};

TEST_F(BootSecretsTest, OpenForTheirHostAndGeneration) {
  ASSERT_THAT(CheckBootSecrets(made_, kHost), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes key, ek_.Unseal(made_.blob));
  BG_ASSERT_OK_AND_ASSIGN(const Secrets secrets, OpenBootSecrets(key, kHost, 3, made_.payload));
  ASSERT_EQ(secrets.size(), 1u);
  EXPECT_EQ(AsText(secrets.at("disk").view()), "the disk's key");
  EXPECT_FALSE(OpenBootSecrets(key, kOtherHost, 3, made_.payload).ok());
  EXPECT_FALSE(OpenBootSecrets(key, kHost, 4, made_.payload).ok());
}

TEST_F(BootSecretsTest, A66_ApprovalOfAnotherHost) {
  Approve(Bytes(32, 2), PolicyRef(kOtherHost, 3));
  EXPECT_THAT(CheckBootSecrets(made_, kHost), IsBad());
}

TEST_F(BootSecretsTest, A66_ApprovalOfAnEarlierGeneration) {
  Approve(Bytes(32, 2), PolicyRef(kHost, 2));
  EXPECT_THAT(CheckBootSecrets(made_, kHost), IsBad());
}

TEST_F(BootSecretsTest, A66_ObjectOfAnotherHostOrGeneration) {
  EXPECT_THAT(CheckBootSecrets(made_, kOtherHost), IsBad());
  made_.generation = 4;
  EXPECT_THAT(CheckBootSecrets(made_, kHost), IsBad());
}

TEST_F(BootSecretsTest, A66_AnotherApprovingKey) {
  const auto other = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  made_.approving_key = tpm2::ApprovingKeyArea(other.Public()).value();
  EXPECT_THAT(CheckBootSecrets(made_, kHost), IsBad());
}

TEST_F(BootSecretsTest, A66_AlteredApprovedState) {
  made_.approvals[0].policy[0] ^= 1;
  EXPECT_THAT(CheckBootSecrets(made_, kHost), IsBad());
}

TEST_F(BootSecretsTest, A66_ObjectThatAPasswordOpens) {
  constexpr size_t kAttributesEnd = 7;  // type, nameAlg, attributes
  made_.blob.object_public[kAttributesEnd] |= tpm2::attribute::kUserWithAuth;
  EXPECT_THAT(CheckBootSecrets(made_, kHost), IsBad());
}

TEST_F(BootSecretsTest, MoreApprovalsThanThereMayBe) {
  while (made_.approvals.size() <= kMaxApprovals) made_.approvals.push_back(made_.approvals[0]);
  EXPECT_THAT(CheckBootSecrets(made_, kHost), IsBad());
}

}  // namespace
}  // namespace bootgate::evidence
