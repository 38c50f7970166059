#include "common/tpm2/approval.h"

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/policy_digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::tpm2 {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

class ApprovalTest : public ::testing::Test {
 protected:
  static crypto::PrivateKey NewKey(crypto::Curve curve = crypto::Curve::kP256) {
    return crypto::PrivateKey::GenerateEc(curve).value();
  }
  static Public AreaOf(const crypto::PrivateKey& key) {
    return Public::FromTpmt(ApprovingKeyArea(key.Public()).value()).value();
  }

  const crypto::PrivateKey key_ = NewKey();
  const Public area_ = AreaOf(key_);
  const Bytes policy_ = Bytes(32, 0x11);
  const Bytes ref_ = Bytes(38, 0x22);
};

TEST_F(ApprovalTest, KeyHasTheFormThatTpmsLoad) {
  const std::string hex = ToHex(area_.raw);
  EXPECT_THAT(hex, ::testing::StartsWith("0023000b00040040"
                                         "0000"
                                         "0010"
                                         "0018000b"
                                         "0003"
                                         "0010"
                                         "0020"));
  EXPECT_EQ(area_.raw.size(), 88u);
  EXPECT_THAT(ApprovingKeyArea(NewKey(crypto::Curve::kP384).Public()), Refuses(Reason::kKeyWeak));
}

TEST_F(ApprovalTest, PolicyIsThatOfPolicyAuthorize) {
  EXPECT_EQ(
      AuthorizedPolicy(area_.Name(), ref_),
      ToBytes(PolicyDigest(crypto::HashAlg::kSha256).Authorize(area_.Name(), ref_).value().view()));
}

TEST_F(ApprovalTest, SignatureHoldsForThisStateReferenceAndKeyAlone) {
  // A hundred: r and s are shorter than the field now and then.
  for (int i = 0; i < 100; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, SignApproval(key_, policy_, ref_));
    ASSERT_THAT(CheckApproval(area_, policy_, ref_, signature), IsOk());
  }
  BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, SignApproval(key_, policy_, ref_));
  const auto is_bad = Refuses(Reason::kSealApproval);
  EXPECT_THAT(CheckApproval(area_, Bytes(32, 0x12), ref_, signature), is_bad);
  EXPECT_THAT(CheckApproval(area_, policy_, Bytes(38, 0x23), signature), is_bad);
  EXPECT_THAT(CheckApproval(area_, policy_, Bytes(37, 0x22), signature), is_bad);
  EXPECT_THAT(CheckApproval(AreaOf(NewKey()), policy_, ref_, signature), is_bad);
  Bytes cut = signature;
  cut.pop_back();
  EXPECT_THAT(CheckApproval(area_, policy_, ref_, cut), is_bad);
  for (const size_t at : {size_t{1}, size_t{3}, signature.size() - 1}) {
    Bytes changed = signature;
    changed[at] ^= 1;
    EXPECT_THAT(CheckApproval(area_, policy_, ref_, changed), is_bad) << at;
  }
}

// What is signed is policy || reference: bytes moved from one to the other must not pass.
TEST_F(ApprovalTest, StateAndReferenceCannotBeShifted) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, SignApproval(key_, policy_, ref_));
  Bytes longer = policy_;
  longer.push_back(ref_.front());
  EXPECT_THAT(CheckApproval(area_, longer, Bytes(ref_.begin() + 1, ref_.end()), signature),
              Refuses(Reason::kSealApproval));
}

TEST_F(ApprovalTest, KeyThatMaySignOtherThingsApprovesNothing) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, SignApproval(key_, policy_, ref_));
  Public restricted = area_;
  restricted.attributes |= attribute::kRestricted;
  EXPECT_THAT(CheckApproval(restricted, policy_, ref_, signature), Refuses(Reason::kSealApproval));
}

}  // namespace
}  // namespace bootgate::tpm2
