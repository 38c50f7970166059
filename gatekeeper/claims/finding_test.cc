#include "gatekeeper/claims/finding.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper {
namespace {

TEST(FindingTest, SeveritiesHaveStableNames) {
  EXPECT_EQ(Name(Severity::kInfo), "info");
  EXPECT_EQ(Name(Severity::kWarning), "warning");
  EXPECT_EQ(Name(Severity::kFail), "fail");
}

TEST(ClaimTest, IssuersAreNamedAsThePolicyLanguageNamesThem) {
  EXPECT_EQ(Name(Issuer::kAttestationService), "AttestationService");
  EXPECT_EQ(Name(Issuer::kAttestationPolicy), "AttestationPolicy");
  EXPECT_EQ(Name(Issuer::kCustomClaim), "CustomClaim");
}

TEST(ClaimTest, TheTypeOfAValueIsPartOfTheValue) {
  const ClaimValue flag = true, number = int64_t{1}, text = std::string("1");
  EXPECT_NE(flag, number);
  EXPECT_NE(number, text);
  EXPECT_EQ(ValueTypeName(flag), "Boolean");
  EXPECT_EQ(ValueTypeName(number), "Integer");
  EXPECT_EQ(ValueTypeName(text), "String");
}

TEST(ClaimTest, ShownTextCannotDriveATerminal) {
  const ClaimValue hostile = std::string("\x1b[2J");
  EXPECT_THAT(DisplayText(hostile), ::testing::Not(::testing::HasSubstr("\x1b")));
  EXPECT_EQ(DisplayText(ClaimValue(false)), "false");
  EXPECT_EQ(DisplayText(ClaimValue(int64_t{-7})), "-7");
}

}  // namespace
}  // namespace bootgate::gatekeeper
