// What opens in approved states alone (TPM2_PolicyAuthorize), and attacks on that.
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "common/tpm2/approval.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::tpm {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using crypto::HashAlg;
using tpm2::EkTemplate;

const registers::Selection kBound = {{HashAlg::kSha256, 0x0890}};  // 4, 7 and 11, the cap
const Bytes kRef(38, 0x61);
const Bytes kOtherRef(38, 0x62);

class ApprovedTest : public desk::TpmTest {
 protected:
  static crypto::PrivateKey NewKey() {
    return crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  }
  static Bytes AreaOf(const crypto::PrivateKey& key) {
    return tpm2::ApprovingKeyArea(key.Public()).value();
  }
  tpm2::ImportBlob SealTo(const tpm2::Public& ek) const {
    const Bytes name = tpm2::Public::FromTpmt(AreaOf(key_)).value().Name();
    return tpm2::SealForImport(ek, tpm2::AuthorizedPolicy(name, kRef), data_).value();
  }
  Bytes State() { return PcrPolicy(kBound, tpm_->ReadRegisters(kBound).value()).value(); }
  static ApprovedState Approve(const crypto::PrivateKey& key, const Bytes& state,
                               const Bytes& ref = kRef) {
    return {.approving_key = AreaOf(key),
            .policy = state,
            .policy_ref = ref,
            .signature = tpm2::SignApproval(key, state, ref).value()};
  }
  absl::StatusOr<SecretBytes> Open(const ApprovedState& approval,
                                   EkTemplate which = EkTemplate::kP256Low) {
    BG_ASSIGN_OR_RETURN(const PinnedEk ek, Pin(*tpm_, which));
    BG_ASSIGN_OR_RETURN(const tpm2::Public area, tpm_->EkPublic(which));
    return tpm_->UnsealApproved(ek, SealTo(area), kBound, approval);
  }
  void TearDown() override {
    BG_ASSERT_OK_AND_ASSIGN(const LoadedHandles left, tpm_->CountHandles());
    EXPECT_EQ(left.objects + left.sessions + left.saved_sessions, 0u);
  }

  const crypto::PrivateKey key_ = NewKey();
  const SecretBytes data_ = crypto::RandomSecret(32);
};

class ApprovedForTest : public ApprovedTest, public ::testing::WithParamInterface<EkTemplate> {};

TEST_P(ApprovedForTest, OpensInTheApprovedStateAndNeverInClearOnTheBus) {
  const ApprovedState approval = Approve(key_, State());
  for (int i = 0; i < 2; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(const SecretBytes opened, Open(approval, GetParam()));
    EXPECT_TRUE(opened.ConstantTimeEquals(data_.view()));
  }
  EXPECT_FALSE(bus_.Carried(data_.view()));
}

INSTANTIATE_TEST_SUITE_P(Eks, ApprovedForTest,
                         ::testing::Values(EkTemplate::kRsa2048Low, EkTemplate::kP256Low,
                                           EkTemplate::kRsa2048High, EkTemplate::kP256High,
                                           EkTemplate::kP384High, EkTemplate::kP521High,
                                           EkTemplate::kRsa3072High));

// The state was approved before it came to be: the planned update.
TEST_F(ApprovedTest, OpensInAStateThatWasForetold) {
  BG_ASSERT_OK_AND_ASSIGN(std::vector<registers::RegisterBank> banks, tpm_->ReadRegisters(kBound));
  const crypto::Digest measured = crypto::Hash(HashAlg::kSha256, AsBytes("the next kernel"));
  ASSERT_TRUE(banks[0].Extend(4, measured));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes next, PcrPolicy(kBound, banks));
  const ApprovedState approval = Approve(key_, next);
  EXPECT_THAT(Open(approval), Refuses(Reason::kTpmPolicy)) << "not in it yet";
  ASSERT_THAT(tpm_->Extend(4, {measured}), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes opened, Open(approval));
  EXPECT_TRUE(opened.ConstantTimeEquals(data_.view()));
}

TEST_F(ApprovedTest, A66_ApprovalAfterARegisterMoved) {
  const ApprovedState approval = Approve(key_, State());
  ASSERT_THAT(host_->Extend(7, "another policy"), IsOk());
  EXPECT_THAT(Open(approval), Refuses(Reason::kTpmPolicy));
}

TEST_F(ApprovedTest, A67_NothingOpensAfterTheCap) {
  const ApprovedState approval = Approve(key_, State());
  ASSERT_THAT(Open(approval), IsOk());
  ASSERT_THAT(tpm_->Cap(11), IsOk());
  EXPECT_THAT(Open(approval), Refuses(Reason::kTpmPolicy));
  ASSERT_THAT(host_->Reboot(Case()), IsOk());
  EXPECT_THAT(Open(approval), IsOk());
}

TEST_F(ApprovedTest, A66_AlteredApprovedState) {
  ApprovedState approval = Approve(key_, Bytes(32, 0x11));
  approval.policy = State();
  EXPECT_THAT(Open(approval), Refuses(Reason::kSealApproval));
}

TEST_F(ApprovedTest, A66_ApprovalOfAnotherHost) {
  ApprovedState approval = Approve(key_, State(), kOtherRef);
  EXPECT_THAT(Open(approval), Refuses(Reason::kTpmPolicy)) << "signed, but not what is sealed to";
  approval.policy_ref = kRef;
  EXPECT_THAT(Open(approval), Refuses(Reason::kSealApproval)) << "not what was signed";
}

TEST_F(ApprovedTest, A66_AnotherApprovingKey) {
  const crypto::PrivateKey other = NewKey();
  ApprovedState approval = Approve(other, State());
  EXPECT_THAT(Open(approval), Refuses(Reason::kTpmPolicy)) << "a key that the object does not name";
  approval.approving_key = AreaOf(key_);
  EXPECT_THAT(Open(approval), Refuses(Reason::kSealApproval)) << "the right key did not sign this";
}

TEST_F(ApprovedTest, A66_BlobOfAnotherTpm) {
  const auto other = tpm2::soft_tpm::SoftStorageKey::MakeEk(EkTemplate::kP256Low);
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  EXPECT_FALSE(tpm_->UnsealApproved(ek, SealTo(other.area()), kBound, Approve(key_, State())).ok());
}

// On the way to the TPM somebody loads a key of his own and signs with it.
TEST_F(ApprovedTest, A66_InterposerAnswersForAnotherKey) {
  constexpr uint32_t kLoadExternal = 0x167;
  bus_.change_response = [](ByteView command, Bytes& response) {
    if (desk::CommandCode(command) == kLoadExternal) response.back() ^= 1;  // of the key's Name
  };
  EXPECT_FALSE(Open(Approve(key_, State())).ok());
  bus_.change_response = nullptr;
  EXPECT_THAT(Open(Approve(key_, State())), IsOk());
}

// The sealed object is empty of policy: it would never open, and is not even made.
TEST_F(ApprovedTest, A66_NothingIsSealedWithoutAPolicy) {
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ek, tpm_->EkPublic(EkTemplate::kP256Low));
  EXPECT_FALSE(tpm2::SealForImport(ek, {}, data_).ok());
}

// A TPM drops banks that it does not have from what it is asked: such a policy would hold always.
TEST_F(ApprovedTest, A66_BankThatTheTpmDoesNotHave) {
  const registers::Selection unallocated = {{HashAlg::kSha512, 0x0090}};
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public area, tpm_->EkPublic(EkTemplate::kP256Low));
  EXPECT_FALSE(tpm_->UnsealApproved(ek, SealTo(area), unallocated, Approve(key_, State())).ok());
}

}  // namespace
}  // namespace bootgate::agent::tpm
