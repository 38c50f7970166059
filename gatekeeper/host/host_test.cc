#include "gatekeeper/host/host.h"

#include <string>

#include "gtest/gtest.h"

namespace bootgate::gatekeeper::host {
namespace {

using enum Trust;

constexpr Trust kAllTrusts[] = {kPending,    kTrusted, kQuarantined, kInvestigating,
                                kRemediated, kRetired, kRestricted,  kSuspect};
TEST(HostId, IsThirtyTwoDigitsOfTheDigestOfTheEkName) {
  // SHA-256 of nothing begins with e3b0c442...
  EXPECT_EQ(HostIdFor({}), "h-e3b0c44298fc1c149afbf4c8996fb924");
  EXPECT_TRUE(IsHostId(HostIdFor(AsBytes("some name"))));
}

// The id follows from the EK's Name, so another TPM cannot have it.
TEST(Attack, A24_AnotherEkGivesAnotherHostId) {
  EXPECT_NE(HostIdFor(AsBytes("EK of one TPM")), HostIdFor(AsBytes("EK of two TPM")));
}

TEST(HostId, OtherFormsAreRefused) {
  for (const char* const text :
       {"", "h-", "h-E3B0C44298FC1C149AFBF4C8996FB924", "h-e3b0c44298fc1c149afbf4c8996fb92",
        "h-e3b0c44298fc1c149afbf4c8996fb9244", "g-e3b0c44298fc1c149afbf4c8996fb924",
        "h-e3b0c44298fc1c149afbf4c8996fb92/", "../e3b0c44298fc1c149afbf4c8996fb924"}) {
    EXPECT_FALSE(IsHostId(text)) << text;
  }
}

TEST(TrustName, GoesThereAndBack) {
  for (const Trust trust : kAllTrusts) EXPECT_EQ(TrustFromName(Name(trust)), trust);
  EXPECT_EQ(TrustFromName("Trusted"), std::nullopt);
  EXPECT_EQ(TrustFromName(""), std::nullopt);
}

}  // namespace
}  // namespace bootgate::gatekeeper::host
