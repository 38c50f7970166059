#include "gatekeeper/appraisal/tpm_boot/kernel_options.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "gatekeeper/appraisal/tpm_boot/kernel_command_line.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

// How a row's value is compared.
enum class Match {
  kName,    // the name alone, whatever the value
  kExact,   // the name and exactly this value
  kOff,     // 0, n, no, off, false
  kOn,      // no value, or 1, y, yes, on, true
  kListed,  // one of the comma-separated parts of the value
};

enum class About { kOther, kDebugging, kKaslr, kModules, kInit, kDebugShell };

struct Row {
  absl::string_view name;  // '-' written as '_'
  Match match;
  absl::string_view value;
  Effect effect;
  About about;
  absl::string_view meaning;
};

constexpr Effect kWeak = Effect::kWeakens, kStrong = Effect::kStrengthens,
                 kPlain = Effect::kNeutral;

// clang-format off
constexpr Row kRows[] = {
    // Debuggers and early consoles
    {"kgdboc", Match::kName, "", kWeak, About::kDebugging, "kernel debugger on a console"},
    {"kgdbwait", Match::kName, "", kWeak, About::kDebugging, "kernel waits for a debugger"},
    {"kgdbdbgp", Match::kName, "", kWeak, About::kDebugging, "kernel debugger on a USB debug port"},
    {"kgdbcon", Match::kName, "", kWeak, About::kDebugging, "kernel messages to a debugger"},
    {"kgdb", Match::kName, "", kWeak, About::kDebugging, "kernel debugger"},
    {"kdb", Match::kName, "", kWeak, About::kDebugging, "kernel debugger's shell"},
    {"ekgdboc", Match::kName, "", kWeak, About::kDebugging, "kernel debugger on an early console"},
    {"earlycon", Match::kName, "", kWeak, About::kDebugging, "early console for debugging"},
    {"earlyprintk", Match::kName, "", kWeak, About::kDebugging, "early console for debugging"},
    {"debugfs", Match::kExact, "off", kStrong, About::kOther, "no debugging file system"},
    // Lockdown and modules
    {"lockdown", Match::kExact, "integrity", kStrong, About::kOther, "kernel lockdown: root cannot change the kernel"},
    {"lockdown", Match::kExact, "confidentiality", kStrong, About::kOther, "kernel lockdown: root can neither change nor read the kernel"},
    {"module.sig_enforce", Match::kOn, "", kStrong, About::kModules, "only signed modules are loaded"},
    {"nomodule", Match::kName, "", kStrong, About::kOther, "no modules are loaded"},
    {"modules_disabled", Match::kOn, "", kStrong, About::kOther, "no modules are loaded"},
    // IMA and EVM
    {"ima_appraise", Match::kExact, "enforce", kStrong, About::kOther, "IMA refuses files that are not signed or hashed"},
    {"ima_appraise", Match::kExact, "off", kWeak, About::kOther, "IMA appraises nothing"},
    {"ima_appraise", Match::kExact, "fix", kWeak, About::kOther, "IMA labels whatever it finds as good"},
    {"ima_appraise", Match::kExact, "log", kWeak, About::kOther, "IMA only reports bad files"},
    {"ima_policy", Match::kName, "", kPlain, About::kOther, "IMA policy from the command line"},
    {"ima_hash", Match::kExact, "sha1", kWeak, About::kOther, "IMA measures with SHA-1"},
    {"ima_hash", Match::kExact, "md5", kWeak, About::kOther, "IMA measures with MD5"},
    {"evm", Match::kExact, "fix", kWeak, About::kOther, "EVM labels whatever it finds as good"},
    {"initcall_blacklist", Match::kName, "", kWeak, About::kOther, "parts of the kernel are not started"},
    // The first program, shells without a password
    {"init", Match::kName, "", kWeak, About::kInit, "another first program"},
    {"rdinit", Match::kName, "", kWeak, About::kInit, "another first program in the initrd"},
    {"systemd.debug_shell", Match::kOn, "", kWeak, About::kDebugShell, "root shell on a console, without a password"},
    {"rd.systemd.debug_shell", Match::kOn, "", kWeak, About::kDebugShell, "root shell in the initrd"},
    {"rd.break", Match::kName, "", kWeak, About::kDebugShell, "root shell in the initrd"},
    {"rd.shell", Match::kOn, "", kWeak, About::kDebugShell, "root shell in the initrd when it fails"},
    {"systemd.unit", Match::kExact, "emergency.target", kWeak, About::kDebugShell, "emergency mode"},
    {"systemd.unit", Match::kExact, "rescue.target", kWeak, About::kDebugShell, "rescue mode"},
    {"emergency", Match::kName, "", kWeak, About::kDebugShell, "emergency mode"},
    {"single", Match::kName, "", kWeak, About::kDebugShell, "single-user mode"},
    {"break", Match::kName, "", kWeak, About::kDebugShell, "root shell in the initrd"},
    // Mandatory access control, audit
    {"selinux", Match::kOff, "", kWeak, About::kOther, "SELinux off"},
    {"enforcing", Match::kOff, "", kWeak, About::kOther, "SELinux only reports"},
    {"enforcing", Match::kOn, "", kStrong, About::kOther, "SELinux enforces"},
    {"apparmor", Match::kOff, "", kWeak, About::kOther, "AppArmor off"},
    {"security", Match::kName, "", kPlain, About::kOther, "choice of the security module"},
    {"lsm", Match::kName, "", kPlain, About::kOther, "choice of the security modules"},
    {"audit", Match::kOff, "", kWeak, About::kOther, "no audit log"},
    {"audit", Match::kOn, "", kStrong, About::kOther, "audit log from the start"},
    // Memory and speculation
    {"nokaslr", Match::kName, "", kWeak, About::kKaslr, "kernel at a known address"},
    {"norandmaps", Match::kName, "", kWeak, About::kOther, "programs at known addresses"},
    {"mitigations", Match::kListed, "off", kWeak, About::kOther, "no defence against speculation attacks"},
    {"mitigations", Match::kListed, "nosmt", kStrong, About::kOther, "no hyper-threading where it leaks"},
    {"nosmt", Match::kName, "", kStrong, About::kOther, "no hyper-threading"},
    {"pti", Match::kOff, "", kWeak, About::kOther, "no page table isolation"},
    {"nopti", Match::kName, "", kWeak, About::kOther, "no page table isolation"},
    {"nospectre_v1", Match::kName, "", kWeak, About::kOther, "no defence against Spectre variant 1"},
    {"nospectre_v2", Match::kName, "", kWeak, About::kOther, "no defence against Spectre variant 2"},
    {"spectre_v2", Match::kOff, "", kWeak, About::kOther, "no defence against Spectre variant 2"},
    {"spec_store_bypass_disable", Match::kOff, "", kWeak, About::kOther, "no defence against store bypass"},
    {"l1tf", Match::kOff, "", kWeak, About::kOther, "no defence against L1TF"},
    {"mds", Match::kOff, "", kWeak, About::kOther, "no defence against MDS"},
    {"tsx_async_abort", Match::kOff, "", kWeak, About::kOther, "no defence against TAA"},
    {"nosmep", Match::kName, "", kWeak, About::kOther, "kernel may run user memory"},
    {"nosmap", Match::kName, "", kWeak, About::kOther, "kernel may read user memory unasked"},
    {"noexec", Match::kOff, "", kWeak, About::kOther, "data may be run"},
    {"rodata", Match::kOff, "", kWeak, About::kOther, "kernel code may be written"},
    {"iomem", Match::kExact, "relaxed", kWeak, About::kOther, "root may write device memory"},
    {"vsyscall", Match::kExact, "none", kStrong, About::kOther, "no code at a fixed address"},
    {"init_on_alloc", Match::kOn, "", kStrong, About::kOther, "memory is cleared before use"},
    {"init_on_free", Match::kOn, "", kStrong, About::kOther, "memory is cleared after use"},
    {"slab_nomerge", Match::kName, "", kStrong, About::kOther, "kernel memory is kept apart"},
    {"randomize_kstack_offset", Match::kOn, "", kStrong, About::kOther, "kernel stack at changing places"},
    {"mem_encrypt", Match::kOn, "", kStrong, About::kOther, "memory encryption"},
    {"mem_encrypt", Match::kOff, "", kWeak, About::kOther, "no memory encryption"},
    // DMA
    {"iommu", Match::kListed, "off", kWeak, About::kOther, "devices may write any memory"},
    {"iommu", Match::kListed, "pt", kWeak, About::kOther, "the kernel's own devices may write any memory"},
    {"iommu.passthrough", Match::kOn, "", kWeak, About::kOther, "devices may write any memory"},
    {"intel_iommu", Match::kListed, "off", kWeak, About::kOther, "devices may write any memory"},
    {"intel_iommu", Match::kListed, "on", kStrong, About::kOther, "devices are confined"},
    {"amd_iommu", Match::kListed, "off", kWeak, About::kOther, "devices may write any memory"},
    {"efi", Match::kListed, "disable_early_pci_dma", kStrong, About::kOther, "no DMA until the kernel confines it"},
    {"efi", Match::kListed, "no_disable_early_pci_dma", kWeak, About::kOther, "DMA while the kernel starts"},
    // When something goes wrong
    {"oops", Match::kExact, "panic", kStrong, About::kOther, "a kernel fault stops the host"},
    {"panic_on_warn", Match::kOn, "", kStrong, About::kOther, "a kernel warning stops the host"},
    {"panic", Match::kName, "", kPlain, About::kOther, "seconds until a host that stopped starts again"},
};
// clang-format on

bool IsOneOf(absl::string_view value, std::initializer_list<absl::string_view> words) {
  return std::ranges::any_of(
      words, [&](absl::string_view word) { return absl::EqualsIgnoreCase(value, word); });
}

bool IsOff(const KernelParameter& parameter) {
  return parameter.has_value && IsOneOf(parameter.value, {"0", "n", "no", "off", "false"});
}

bool IsOn(const KernelParameter& parameter) {
  return !parameter.has_value || IsOneOf(parameter.value, {"1", "y", "yes", "on", "true"});
}

bool Matches(const Row& row, const KernelParameter& parameter) {
  if (row.name != parameter.name) return false;
  switch (row.match) {
    case Match::kName:
      return true;
    case Match::kExact:
      return parameter.value == row.value;
    case Match::kOff:
      return IsOff(parameter);
    case Match::kOn:
      return IsOn(parameter);
    case Match::kListed:
      for (const absl::string_view part : absl::StrSplit(parameter.value, ',')) {
        if (part == row.value) return true;
      }
      return false;
  }
  __builtin_unreachable();
}

const Row* FindRow(const KernelParameter& parameter) {
  for (const Row& row : kRows) {
    if (Matches(row, parameter)) return &row;
  }
  return nullptr;
}

void Apply(const KernelParameter& parameter, KernelSettings* out) {
  if (parameter.name == "ima_appraise") out->ima_appraise = parameter.value;
  if (parameter.name == "ima_policy") out->ima_policies.push_back(parameter.value);
  if (parameter.name == "lockdown") {  // it can only be raised
    const int level =
        parameter.value == "confidentiality" ? 2 : (parameter.value == "integrity" ? 1 : 0);
    out->lockdown = std::max(out->lockdown, level);
  }
  const Row* const row = FindRow(parameter);
  if (row == nullptr) return;
  out->debugging |= row->about == About::kDebugging;
  out->kaslr_disabled |= row->about == About::kKaslr;
  out->module_signatures |= row->about == About::kModules;
  out->init_overridden |= row->about == About::kInit;
  out->debug_shell |= row->about == About::kDebugShell;
}

}  // namespace

std::vector<KernelOption> FindKernelOptions(absl::string_view command_line) {
  std::vector<KernelOption> out;
  for (const KernelParameter& parameter : ParseKernelCommandLine(command_line)) {
    const Row* const row = FindRow(parameter);
    if (row == nullptr) continue;
    out.push_back({Printable(parameter.text), std::string(row->meaning), row->effect});
  }
  return out;
}

KernelSettings SettingsOf(absl::string_view command_line) {
  KernelSettings out;
  for (const KernelParameter& parameter : ParseKernelCommandLine(command_line)) {
    Apply(parameter, &out);
  }
  return out;
}

absl::string_view LockdownName(int level) {
  return level >= 2 ? "confidentiality" : (level == 1 ? "integrity" : "none");
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
