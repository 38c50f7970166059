#include "gatekeeper/appraisal/tpm_boot/kernel_options.h"

#include "gatekeeper/appraisal/tpm_boot/kernel_command_line.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Parsed(absl::string_view line) {
  std::vector<std::string> out;
  for (const KernelParameter& p : ParseKernelCommandLine(line))
    out.push_back(p.name + (p.has_value ? " is " + p.value : ""));
  return out;
}

TEST(KernelCommandLine, QuotesAreTheKernels) {
  EXPECT_THAT(Parsed("quiet  splash\troot=/dev/sda1\n"),
              ElementsAre("quiet", "splash", "root is /dev/sda1"));
  EXPECT_THAT(Parsed("foo=\"a b\" bar"), ElementsAre("foo is a b", "bar"));
  EXPECT_THAT(Parsed("\"foo=a b\" bar"), ElementsAre("foo is a b", "bar"));
  EXPECT_THAT(Parsed("dyndbg=\"file a.c +p; x\" y"), ElementsAre("dyndbg is file a.c +p; x", "y"));
  EXPECT_THAT(Parsed("a=b=c"), ElementsAre("a is b=c"));
  EXPECT_THAT(Parsed("open=\"no end nokaslr"), ElementsAre("open is no end nokaslr"));
  EXPECT_THAT(Parsed("x= \"\""), ElementsAre("x is ", ""));
}

TEST(KernelCommandLine, DashesAndUnderscoresAreOneInNamesOnly) {
  EXPECT_THAT(Parsed("module.sig-enforce=a-b"), ElementsAre("module.sig_enforce is a-b"));
}

TEST(KernelCommandLine, WhatFollowsTwoDashesIsNotTheKernels) {
  EXPECT_THAT(Parsed("quiet -- nokaslr"), ElementsAre("quiet"));
  EXPECT_THAT(Parsed("quiet --x nokaslr"), ElementsAre("quiet", "__x", "nokaslr"));
}

TEST(KernelCommandLine, ANulEndsIt) {
  EXPECT_THAT(Parsed(absl::string_view("quiet\0nokaslr", 13)), ElementsAre("quiet"));
  EXPECT_THAT(Parsed(""), IsEmpty());
}

TEST(KernelCommandLine, NoLineIsReadWithoutEnd) {
  std::string line;
  for (size_t i = 0; i < 2 * kMaxKernelParameters; ++i) line += "a ";
  EXPECT_EQ(ParseKernelCommandLine(line).size(), kMaxKernelParameters);
}

struct OptionRow {
  const char* option;
  Effect effect;
};

TEST(KernelOptions, SayWhetherTheyWeakenOrStrengthen) {
  const OptionRow rows[] = {
      {"kgdboc=ttyS0,115200", Effect::kWeakens},
      {"kgdbwait", Effect::kWeakens},
      {"earlycon=uart8250", Effect::kWeakens},
      {"earlyprintk=serial", Effect::kWeakens},
      {"nokaslr", Effect::kWeakens},
      {"lockdown=integrity", Effect::kStrengthens},
      {"lockdown=confidentiality", Effect::kStrengthens},
      {"module.sig_enforce", Effect::kStrengthens},
      {"module.sig-enforce=1", Effect::kStrengthens},
      {"ima_appraise=off", Effect::kWeakens},
      {"ima_appraise=enforce", Effect::kStrengthens},
      {"ima_policy=tcb", Effect::kNeutral},
      {"init=/bin/bash", Effect::kWeakens},
      {"rdinit=/bin/sh", Effect::kWeakens},
      {"systemd.debug-shell", Effect::kWeakens},
      {"systemd.debug_shell=yes", Effect::kWeakens},
      {"selinux=0", Effect::kWeakens},
      {"enforcing=0", Effect::kWeakens},
      {"apparmor=0", Effect::kWeakens},
      {"mitigations=off", Effect::kWeakens},
      {"mitigations=auto,nosmt", Effect::kStrengthens},
      {"iommu=pt,off", Effect::kWeakens},
      {"intel_iommu=on,sm_on", Effect::kStrengthens},
      {"amd_iommu=off", Effect::kWeakens},
      {"efi=debug,disable_early_pci_dma", Effect::kStrengthens},
      {"oops=panic", Effect::kStrengthens},
      {"panic=10", Effect::kNeutral},
  };
  for (const OptionRow& row : rows) {
    const std::vector<KernelOption> found = FindKernelOptions(row.option);
    ASSERT_EQ(found.size(), 1u) << row.option;
    EXPECT_EQ(found[0].text, row.option);
    EXPECT_EQ(found[0].effect, row.effect) << row.option;
    EXPECT_FALSE(found[0].meaning.empty());
  }
}

TEST(KernelOptions, WhatIsMerelySimilarIsNone) {
  for (const char* option :
       {"selinux=1", "kgdbocx", "xnokaslr", "lockdown=none", "root=nokaslr", "module.sig_enforce=0",
        "systemd.debug_shell=0", "mitigations=auto", "efi=debug", "quiet"}) {
    EXPECT_THAT(FindKernelOptions(option), IsEmpty()) << option;
  }
}

TEST(KernelSettings, LockdownIsTheHighestAskedFor) {
  EXPECT_EQ(SettingsOf("lockdown=confidentiality lockdown=integrity").lockdown, 2);
  EXPECT_EQ(SettingsOf("lockdown=integrity").lockdown, 1);
  EXPECT_EQ(SettingsOf("lockdown=INTEGRITY lockdown").lockdown, 0);
}

TEST(KernelSettings, TheLastImaModeCounts) {
  EXPECT_EQ(SettingsOf("ima_appraise=enforce ima_appraise=off").ima_appraise, "off");
  EXPECT_EQ(SettingsOf("quiet").ima_appraise, std::nullopt);
}

TEST(KernelSettings, AnOptionOfTheFirstProgramIsNotTheKernels) {
  const KernelSettings settings = SettingsOf("quiet -- init=/bin/sh kgdboc=ttyS0");
  EXPECT_FALSE(settings.init_overridden);
  EXPECT_FALSE(settings.debugging);
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
