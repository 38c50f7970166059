// Every answer that a TPM refuses with has the name that its way out is written under.
#include "agent/tpm/internal/rc.h"

#include <sys/stat.h>
#include <tss2/tss2_tpm2_types.h>
#include <unistd.h>

#include "agent/tpm/internal/tcti.h"
#include "agent/tpm/tpm.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::tpm {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct NamedCode {
  const char* name;
  TSS2_RC rc;
  Reason reason;
};
void PrintTo(const NamedCode& row, std::ostream* os) { *os << row.name; }
class NamedCodeTest : public ::testing::TestWithParam<NamedCode> {};

TEST_P(NamedCodeTest, HasItsReasonAlsoThroughAResourceManager) {
  for (const TSS2_RC layer : {TSS2_RC{0}, TSS2_RC{TSS2_RESMGR_TPM_RC_LAYER}}) {
    const absl::Status status = internal::StatusFor("TPM2_Quote", GetParam().rc | layer);
    EXPECT_THAT(status, Refuses(GetParam().reason));
    EXPECT_THAT(std::string(status.message()), StartsWith("TPM2_Quote: "));
  }
}

constexpr TSS2_RC kSession1 = TPM2_RC_S + TPM2_RC_1, kHandle1 = TPM2_RC_H + TPM2_RC_1,
                  kParameter1 = TPM2_RC_P + TPM2_RC_1;
INSTANTIATE_TEST_SUITE_P(
    Codes, NamedCodeTest,
    ::testing::Values(
        NamedCode{"Failure", TPM2_RC_FAILURE, Reason::kTpmFailure},
        NamedCode{"NotStarted", TPM2_RC_INITIALIZE, Reason::kTpmFailure},
        NamedCode{"Objects", TPM2_RC_OBJECT_MEMORY, Reason::kTpmResources},
        NamedCode{"Sessions", TPM2_RC_SESSION_MEMORY, Reason::kTpmResources},
        NamedCode{"SessionHandles", TPM2_RC_SESSION_HANDLES, Reason::kTpmResources},
        NamedCode{"ContextGap", TPM2_RC_CONTEXT_GAP, Reason::kTpmResources},
        NamedCode{"Memory", TPM2_RC_MEMORY, Reason::kTpmResources},
        NamedCode{"HierarchyDisabled", TPM2_RC_HIERARCHY + kHandle1, Reason::kTpmHierarchy},
        NamedCode{"HierarchyPassword", TPM2_RC_BAD_AUTH + kSession1, Reason::kTpmHierarchy},
        NamedCode{"HierarchyPasswordWithDa", TPM2_RC_AUTH_FAIL + kSession1, Reason::kTpmHierarchy},
        NamedCode{"Lockout", TPM2_RC_LOCKOUT, Reason::kTpmLockout},
        NamedCode{"OtherState", TPM2_RC_POLICY_FAIL + kSession1, Reason::kTpmPolicy},
        NamedCode{"RegistersMoved", TPM2_RC_PCR_CHANGED, Reason::kTpmPcrChanged},
        NamedCode{"OtherKey", TPM2_RC_INTEGRITY + kParameter1, Reason::kTpmIntegrity},
        NamedCode{"Retry", TPM2_RC_RETRY, Reason::kTpm},
        NamedCode{"Yielded", TPM2_RC_YIELDED, Reason::kTpm},
        NamedCode{"Testing", TPM2_RC_TESTING, Reason::kTpm},
        NamedCode{"WearingOut", TPM2_RC_NV_RATE, Reason::kTpm},
        NamedCode{"Anything", TPM2_RC_VALUE + kParameter1, Reason::kTpm}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(NamedCode, OfTheLayersBetween) {
  EXPECT_THAT(internal::StatusFor("x", TSS2_ESYS_RC_RSP_AUTH_FAILED),
              Refuses(Reason::kTpmResponseHmac));
  EXPECT_THAT(internal::StatusFor("x", TSS2_TCTI_RC_IO_ERROR), Refuses(Reason::kTpmMissing));
  EXPECT_THAT(internal::StatusFor("x", TSS2_RC_SUCCESS), IsOk());
}

TEST(Device, ThatIsNotThereIsSaidWithTheSystemsError) {
  const absl::Status status = Tpm::Open({.tcti = "device:/nowhere/tpmrm0"}).status();
  EXPECT_THAT(status, Refuses(Reason::kTpmMissing));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("open /nowhere/tpmrm0: No such file or directory"));
}

TEST(Device, ThatIsSomethingElseIsSaidSo) {
  const desk::ScratchFolder scratch;
  const std::string path = scratch.path() + "/file";
  ASSERT_THAT(WriteFileAtomically(path, {}, 0600), IsOk());
  EXPECT_THAT(internal::WhyNoDevice(path), HasSubstr("opens, but is no TPM"));
}

TEST(Device, ThatOnlyAGroupMayOpenNamesIt) {
  if (geteuid() == 0 && seteuid(65534) != 0) GTEST_SKIP() << "cannot be another user";
  const std::string why = internal::WhyNoDevice("/etc/shadow");
  EXPECT_EQ(seteuid(getuid()), 0);
  EXPECT_THAT(why, HasSubstr("open /etc/shadow: Permission denied (mode 0640, group shadow"));
}

TEST(TssVersion, IsKnownAndOldOnesAreToldFromNewOnes) {
  EXPECT_THAT(std::string(TssVersion()), ::testing::MatchesRegex("[0-9]+\\.[0-9]+.*"));
  for (const char* old : {"3.2.1", "4.1.3", "4.0.0-rc1", "", "garbage"}) {
    EXPECT_TRUE(TssPredatesAdvisories(old)) << old;
  }
  for (const char* recent : {"4.2.0", "4.2.1", "4.10.0", "5.0"}) {
    EXPECT_FALSE(TssPredatesAdvisories(recent)) << recent;
  }
}

}  // namespace
}  // namespace bootgate::agent::tpm
