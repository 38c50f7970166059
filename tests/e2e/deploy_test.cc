// What is shipped beside the programs works with them: units, sample policies.
#include <filesystem>
#include <fstream>

#include "absl/strings/str_replace.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "tests/desk/scratch_folder.h"
#include "tests/e2e/ends_with.h"

namespace bootgate::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kDeploy = testing::SourcePath("deploy");

class UnitTest : public ::testing::TestWithParam<const char*> {
 protected:
  // The unit with its program where this build has put it.
  std::string Unit() const {
    const std::string name = std::string(GetParam()) + ".service";
    const std::string text = ReadTextFile(kDeploy + "/systemd/" + name, 1 << 20).value();
    EXPECT_THAT(text, HasSubstr("ExecStart=/usr/bin/"));
    std::ofstream(scratch_.path() + "/" + name)
        << absl::StrReplaceAll(text, {{"/usr/bin/", Program("")}});
    return scratch_.path() + "/" + name;
  }

  const desk::ScratchFolder scratch_;
};

TEST_P(UnitTest, SystemdFindsNoFault) {
  const Ran ran = RunProgram({"systemd-analyze", "verify", "--man=no", Unit()});
  EXPECT_THAT(ran, Succeeds());
  EXPECT_THAT(ran.out + ran.err, IsEmpty());
}

// systemd's own measure of what a compromised service could reach: 0 is nothing, 100 everything.
TEST_P(UnitTest, ReachesLittle) {
  EXPECT_THAT(
      RunProgram({"systemd-analyze", "security", "--offline=yes", "--threshold=20", Unit()}),
      Succeeds());
}

INSTANTIATE_TEST_SUITE_P(Units, UnitTest,
                         ::testing::Values("bootgate-gatekeeper", "bootgate-agent",
                                           "bootgate-boot-secrets"),
                         [](const auto& row) {
                           std::string name =
                               std::string(row.param).substr(sizeof("bootgate-") - 1);
                           std::erase(name, '-');
                           return name;
                         });

TEST(SamplePolicies, AreFineAndWithoutWarnings) {
  int checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kDeploy + "/policies")) {
    if (entry.path().extension() != ".policy") continue;  // cases, in a folder
    const Ran ran =
        RunProgram({Program("bootgate-gatekeeper"), "policy", "check", entry.path().string()});
    EXPECT_THAT(ran, Succeeds());
    EXPECT_THAT(ran.out, HasSubstr("is fine\n")) << "no warnings";
    ++checked;
  }
  EXPECT_GE(checked, 3);
}

}  // namespace
}  // namespace bootgate::e2e
