#include "tests/desk/host.h"

#include <signal.h>

#include <filesystem>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "tests/desk/captured_boot.h"
#include "tests/desk/other_kernel.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::desk {
namespace {

using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::CorpusPath;
using ::bootgate::testing::IsOk;
using ::testing::Eq;

absl::StatusOr<std::unique_ptr<agent::tpm::Tpm>> Open(const Host& host) {
  return agent::tpm::Tpm::Open({.tcti = host.tcti()});
}

registers::Selection AllOf(const CapturedBoot& boot) {
  registers::Selection selection;
  for (const auto& bank : boot.registers) selection.push_back({bank.alg(), bank.mask()});
  return selection;
}

class EveryCaseTest : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryCaseTest, ComesToTheRegistersOfTheCapture) {
  const ScratchFolder scratch;
  const std::string folder = CorpusPath(std::string("boots/") + GetParam());
  BG_ASSERT_OK_AND_ASSIGN(const auto host,
                          Host::Up({.folder = scratch.path(), .case_folder = folder}));
  BG_ASSERT_OK_AND_ASSIGN(const CapturedBoot boot, LoadBoot(folder));
  BG_ASSERT_OK_AND_ASSIGN(const auto tpm, Open(*host));
  BG_ASSERT_OK_AND_ASSIGN(const auto banks, tpm->ReadRegisters(AllOf(boot)));
  EXPECT_EQ(banks, boot.registers);
  BG_ASSERT_OK_AND_ASSIGN(const Bytes ima, ReadFile(host->ima_path(), 1 << 20));
  EXPECT_EQ(ima, boot.ima);
}

INSTANTIATE_TEST_SUITE_P(Boots, EveryCaseTest,
                         ::testing::Values("good", "secure-boot-off", "cmdline-changed",
                                           "ima-policy"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(Host, RebootsIntoAnotherCaseWithTheSameTpm) {
  const ScratchFolder scratch;
  BG_ASSERT_OK_AND_ASSIGN(const auto host, Host::Up({.folder = scratch.path(),
                                                     .case_folder = CorpusPath("boots/good")}));
  BG_ASSERT_OK_AND_ASSIGN(const auto tpm, Open(*host));
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::ClockInfo before, tpm->ReadClock());
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ak, tpm->AkPublic(agent::tpm::AkKind::kEcc));

  ASSERT_THAT(host->Reboot(CorpusPath("boots/cmdline-changed")), IsOk());

  BG_ASSERT_OK_AND_ASSIGN(const tpm2::ClockInfo after, tpm->ReadClock());
  EXPECT_EQ(after.reset_count, before.reset_count + 1);
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public same_ak, tpm->AkPublic(agent::tpm::AkKind::kEcc));
  EXPECT_EQ(same_ak.Name(), ak.Name());
}

// What a captured boot becomes with another kernel is as consistent as a captured one: the TPM
// comes to its registers, and only those that a kernel goes into are others.
TEST(Host, BootsWithAnotherKernel) {
  const ScratchFolder scratch;
  const std::string good = CorpusPath("boots/good"), other = scratch.path() + "/other";
  ASSERT_THAT(WriteBootWithKernel(good, "another kernel", other), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto host,
                          Host::Up({.folder = scratch.path() + "/host", .case_folder = other}));
  BG_ASSERT_OK_AND_ASSIGN(const CapturedBoot before, LoadBoot(good));
  BG_ASSERT_OK_AND_ASSIGN(const CapturedBoot after, LoadBoot(other));
  ASSERT_EQ(after.registers.size(), before.registers.size());
  for (size_t i = 0; i < after.registers.size(); ++i) {
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      const bool measures_kernels = index == 4 || index == 9 || index == 10;
      EXPECT_EQ(after.registers[i].Get(index) != before.registers[i].Get(index), measures_kernels)
          << index;
    }
  }
  EXPECT_THAT(WriteBootWithKernel(CorpusPath("boots/none"), "kernel", other),
              ::testing::Not(IsOk()));
}

TEST(Host, MeasuredFileIsInTheListAndInTheRegister) {
  const ScratchFolder scratch;
  const std::string folder = CorpusPath("boots/good");
  BG_ASSERT_OK_AND_ASSIGN(const auto host,
                          Host::Up({.folder = scratch.path(), .case_folder = folder}));
  ASSERT_THAT(host->Measure("/usr/bin/new-tool", AsBytes("content")), IsOk());

  BG_ASSERT_OK_AND_ASSIGN(const Bytes bytes, ReadFile(host->ima_path(), 1 << 20));
  const ima::List list = ima::List::Parse(bytes);
  ASSERT_TRUE(list.defects().empty());
  EXPECT_EQ(list.entries().back().path, "/usr/bin/new-tool");
  BG_ASSERT_OK_AND_ASSIGN(const auto tpm, Open(*host));
  BG_ASSERT_OK_AND_ASSIGN(const auto banks,
                          tpm->ReadRegisters({{crypto::HashAlg::kSha256, 1u << 10}}));
  const auto match = ima::FindMatch(list, crypto::Digest(), *banks[0].Get(10), 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->entries, list.entries().size());
}

TEST(Host, SharesOneManufacturerWithOthers) {
  const ScratchFolder scratch;
  const std::string ca = scratch.path() + "/ca";
  const std::string folder = CorpusPath("boots/good");
  BG_ASSERT_OK_AND_ASSIGN(
      const auto first,
      Host::Up({.folder = scratch.path() + "/one", .case_folder = folder, .ca_folder = ca}));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes root, ReadFile(first->root_certificate_path(), 1 << 16));
  BG_ASSERT_OK_AND_ASSIGN(
      const auto second,
      Host::Up({.folder = scratch.path() + "/two", .case_folder = folder, .ca_folder = ca}));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes same, ReadFile(second->root_certificate_path(), 1 << 16));
  EXPECT_EQ(root, same);
  BG_ASSERT_OK_AND_ASSIGN(const auto one, Open(*first));
  BG_ASSERT_OK_AND_ASSIGN(const auto two, Open(*second));
  BG_ASSERT_OK_AND_ASSIGN(const auto ek_one, one->EkPublic(tpm2::EkTemplate::kP256Low));
  BG_ASSERT_OK_AND_ASSIGN(const auto ek_two, two->EkPublic(tpm2::EkTemplate::kP256Low));
  EXPECT_NE(ek_one.Name(), ek_two.Name());
}

TEST(Host, LeavesNoProcessBehind) {
  const ScratchFolder scratch;
  pid_t pid = 0;
  {
    BG_ASSERT_OK_AND_ASSIGN(const auto host, Host::Up({.folder = scratch.path(),
                                                       .case_folder = CorpusPath("boots/good")}));
    pid = host->pid();
    ASSERT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_FALSE(FileExists(scratch.path() + "/tpm.sock"));
}

}  // namespace
}  // namespace bootgate::desk
