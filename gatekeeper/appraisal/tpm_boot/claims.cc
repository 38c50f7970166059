#include "gatekeeper/appraisal/tpm_boot/claims.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "common/eventlog/decode/action.h"
#include "gatekeeper/appraisal/tpm_boot/context.h"
#include "gatekeeper/appraisal/tpm_boot/kernel_options.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

class ClaimMaker {
 public:
  ClaimMaker(const BootFacts& facts, uint32_t proven, Notes& notes)
      : facts_(facts), proven_(proven), notes_(notes) {}

  void Run() {
    if (facts_.secure_boot && facts_.secure_boot->verified)
      notes_.AddClaim("secureBootEnabled", facts_.secure_boot->value);
    AddActions();
    AddKeys();
    AddRevocations();
    AddLoaders();
    AddCommandLines();
  }

 private:
  // Each value once: a policy asks whether one is there, not how often.
  void AddOnce(absl::string_view type, const std::string& value) {
    if (said_.emplace(type, value).second) notes_.AddClaim(std::string(type), value);
  }

  bool Says(eventlog::Action action) const {
    return std::ranges::any_of(facts_.actions, [&](const Fact<std::string>& fact) {
      return fact.verified && eventlog::FindAction(AsBytes(fact.value)) == action;
    });
  }

  void AddActions() {
    if (!Has(proven_, kSecureBootRegister)) return;
    notes_.AddClaim("uefiDebugModeEnabled", Says(eventlog::Action::kDebugMode));
    notes_.AddClaim("dmaProtectionDisabled", Says(eventlog::Action::kDmaProtectionDisabled));
  }

  void AddKeys() {
    bool any = false, test_key = false;
    int64_t unknown = 0;
    for (const Fact<KeyEntry>& key : facts_.keys) {
      if (!key.verified || !key.value.certificate) continue;
      any = true;
      test_key |= key.value.test_key;
      if (key.value.known.empty()) ++unknown;
      AddOnce(key.value.list == "MokList" ? "machineOwnerKey"
                                          : absl::string_view(ClaimOf(key.value.list)),
              key.value.fingerprint);
    }
    const bool whole = any && facts_.all_keys_listed;
    if (whole || test_key) notes_.AddClaim("testKeysEnrolled", test_key);
    if (whole) notes_.AddClaim("secureBootUnknownKeys", unknown);
    for (const Fact<Authority>& authority : facts_.authorities) {
      if (!authority.verified) continue;
      AddOnce("secureBootAuthorities", authority.value.subject.empty() ? authority.value.fingerprint
                                                                       : authority.value.subject);
    }
  }

  static const char* ClaimOf(const std::string& list) {
    if (list == "PK") return "secureBootPlatformKey";
    return list == "KEK" ? "secureBootExchangeKey" : "secureBootAllowedKey";
  }

  void AddRevocations() {
    if (facts_.dbx && facts_.dbx->verified) {
      const uint64_t most = std::numeric_limits<int64_t>::max();
      notes_.AddClaim("dbxEntryCount",
                      static_cast<int64_t>(std::min(facts_.dbx->value.entries, most)));
      AddNewestRevocation(facts_.dbx->value.newest_entry);
    }
    if (facts_.sbat_level && facts_.sbat_level->verified)
      notes_.AddClaim("sbatLevel", facts_.sbat_level->value);
  }

  // Also as a number, 202305: the policy language orders numbers only.
  void AddNewestRevocation(const std::string& day) {
    constexpr size_t kMonthLength = 7;  // "2023-05"
    int64_t month = 0;
    const std::string text = absl::StrReplaceAll(day.substr(0, kMonthLength), {{"-", ""}});
    if (!absl::SimpleAtoi(text, &month)) return;
    notes_.AddClaim("dbxNewestEntry", day);
    notes_.AddClaim("dbxNewestMonth", month);
  }

  // Which file of PCR 9 is the kernel only its uncovered name tells: no claim says it.
  void AddLoaders() {
    for (const Fact<Image>& image : facts_.loaders) {
      if (image.verified) AddOnce("bootLoaderDigest", image.value.digest);
    }
  }

  void AddCommandLines() {
    std::vector<KernelSettings> lines;
    for (const Fact<std::string>& line : facts_.command_lines) {
      if (!line.verified) continue;
      AddOnce("kernelCommandLine", line.value);
      lines.push_back(SettingsOf(line.value));
    }
    if (lines.empty()) return;
    AddWeaknesses(lines);
    AddStrengths(lines);
    for (const Fact<KernelOption>& option : facts_.kernel_options) {
      if (!option.verified || option.value.effect == Effect::kNeutral) continue;
      AddOnce(option.value.effect == Effect::kWeakens ? "kernelWeakeningOption"
                                                      : "kernelHardeningOption",
              option.value.text);
    }
  }

  void AddWeaknesses(const std::vector<KernelSettings>& lines) {
    const auto any = [&](bool KernelSettings::*member) {
      return std::ranges::any_of(lines, member);
    };
    notes_.AddClaim("kernelDebugEnabled", any(&KernelSettings::debugging));
    notes_.AddClaim("kaslrDisabled", any(&KernelSettings::kaslr_disabled));
    notes_.AddClaim("initOverridden", any(&KernelSettings::init_overridden));
    notes_.AddClaim("debugShellEnabled", any(&KernelSettings::debug_shell));
  }

  void AddStrengths(const std::vector<KernelSettings>& lines) {
    notes_.AddClaim("moduleSignatureEnforced",
                    std::ranges::all_of(lines, &KernelSettings::module_signatures));
    const int lockdown = std::ranges::min(lines, {}, &KernelSettings::lockdown).lockdown;
    notes_.AddClaim("kernelLockdown", std::string(LockdownName(lockdown)));
    for (const KernelSettings& line : lines) {
      if (line.ima_appraise) AddOnce("imaAppraise", *line.ima_appraise);
      for (const std::string& policy : line.ima_policies) AddOnce("imaPolicy", policy);
    }
  }

  const BootFacts& facts_;
  const uint32_t proven_;
  Notes& notes_;
  std::set<std::pair<absl::string_view, std::string>> said_;
};

}  // namespace

void AddFactClaims(const BootFacts& facts, uint32_t proven, Notes& notes) {
  ClaimMaker(facts, proven, notes).Run();
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
