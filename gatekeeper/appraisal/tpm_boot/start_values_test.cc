#include "gatekeeper/appraisal/tpm_boot/start_values.h"

#include "gtest/gtest.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using crypto::Digest;
using crypto::HashAlg;

// TPM 2.0 PC Client Platform TPM Profile, 4.6: 17 to 22 are ones until a dynamic launch.
TEST(Attack, A65_EachRegisterHasItsOwnStartValue) {
  for (const HashAlg alg : {HashAlg::kSha1, HashAlg::kSha256, HashAlg::kSha384}) {
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const bool dynamic = i >= 17 && i <= 22;
      EXPECT_TRUE(IsStartValue(i, Digest(alg))) << i;
      EXPECT_EQ(IsStartValue(i, Digest::Ones(alg)), dynamic) << i;
      EXPECT_FALSE(IsStartValue(i, crypto::Hash(alg, AsBytes("event")))) << i;
    }
  }
}

TEST(StartValues, OnlyMovedRegistersAreNamed) {
  registers::RegisterBank bank(HashAlg::kSha256);
  for (uint32_t i = 0; i < registers::kCount; ++i) bank.Set(i, Digest(HashAlg::kSha256));
  for (uint32_t i = 17; i <= 22; ++i) bank.Set(i, Digest::Ones(HashAlg::kSha256));
  EXPECT_EQ(MovedRegisters(bank), 0u);
  bank.Extend(16, Digest(HashAlg::kSha256));
  bank.Extend(17, Digest(HashAlg::kSha256));
  bank.Set(4, Digest::Ones(HashAlg::kSha256));  // nothing that firmware leaves there
  EXPECT_EQ(MovedRegisters(bank), 1u << 16 | 1u << 17 | 1u << 4);
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
