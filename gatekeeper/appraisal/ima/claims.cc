#include "gatekeeper/appraisal/ima/claims.h"

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/crypto/certificate_facts.h"
#include "common/crypto/hash.h"
#include "gatekeeper/appraisal/ima/device_mapper.h"
#include "gatekeeper/appraisal/ima/policy_coverage.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

constexpr absl::string_view kKernelVersion = "kernel_version";
constexpr absl::string_view kKexecCommandLine = "kexec-cmdline";
constexpr absl::string_view kSelinuxState = "selinux-state";
constexpr absl::string_view kSelinuxPolicy = "selinux-policy-hash";
constexpr size_t kMaxText = 4096;  // bytes of one record in a claim

bool IsPolicyRecord(absl::string_view name) {
  return name == "ima-policy" || name == "ima_policy_loaded" || name == "ima_write_policy";
}

class ClaimMaker {
 public:
  ClaimMaker(const Facts& facts, Notes& notes) : facts_(facts), notes_(notes) {}

  void Run() {
    for (const KernelRecord& record : facts_.records) AddRecord(record);
    AddDevices();
    if (selinux_.has_value()) notes_.AddClaim("selinuxEnforcing", *selinux_);
    notes_.AddClaim("imaViolations", static_cast<int64_t>(facts_.violations));
    notes_.AddClaim("imaVerityFiles", static_cast<int64_t>(facts_.verity_files));
    notes_.AddClaim("imaAllFilesVerity", facts_.files > 0 && facts_.verity_files == facts_.files);
    notes_.AddClaim("imaSignedFiles", static_cast<int64_t>(facts_.signed_files));
    AddCoverage();
    if (facts_.left_out == 0) return;
    notes_.NotChecked(absl::StrCat(facts_.left_out, " kernel records of the IMA list"),
                      "there are more than are kept; no claim was made from them");
  }

 private:
  // Each value once: a policy asks whether one is there, not how often.
  void AddOnce(absl::string_view type, std::string value) {
    if (said_.emplace(std::string(type), value).second)
      notes_.AddClaim(std::string(type), std::move(value));
  }

  void AddRecord(const KernelRecord& record) {
    const absl::string_view text = TextOf(record.data);
    if (IsKeyring(record.name)) {
      AddKey(record);
    } else if (record.name == kKernelVersion) {
      AddOnce("kernelVersion", Printable(text, kMaxText));
    } else if (record.name == kKexecCommandLine) {
      AddOnce("kexecCommandLine", Printable(text, kMaxText));
    } else if (IsPolicyRecord(record.name)) {
      policies_.push_back(text);
    } else if (!devices_.Add(record.name, text)) {
      AddCriticalData(record, text);
    }
  }

  void AddKey(const KernelRecord& record) {
    const auto certificate = crypto::ReadCertificateFacts(record.data);
    AddOnce("measuredKeyring", record.name);
    AddOnce("measuredKey", absl::StrCat(record.name, " ",
                                        crypto::Hash(crypto::HashAlg::kSha256, record.data).hex()));
    if (certificate.has_value()) AddOnce("measuredKeySubject", certificate->subject);
    keys_ = true;
  }

  // IMA keeps no record twice, so the last one is not the present state: all must say it.
  void AddCriticalData(const KernelRecord& record, absl::string_view text) {
    const std::string& name = record.name;
    AddOnce("criticalData", Printable(name, 128));
    if (name == kSelinuxPolicy) AddOnce("selinuxPolicyDigest", ToHex(record.data));
    if (name != kSelinuxState) return;
    AddOnce("selinuxState", Printable(text, kMaxText));
    if (!absl::StrContains(text, "initialized=1")) return;
    selinux_ = selinux_.value_or(true) && absl::StrContains(text, ";enforcing=1");
  }

  void AddDevices() {
    bool verity = false, corrupted = false;
    for (const auto& [name, device] : devices_.devices()) {
      for (const Target& target : device.active) {
        AddOnce("dmTarget", Printable(target.name, 64));
        if (target.name != "verity") continue;
        verity = true;
        corrupted |= target.corrupted;
        AddOnce("dmVerityDevice", Printable(name, 128));
        if (!target.root_digest.empty())
          AddOnce("dmVerityRootDigest", Printable(target.root_digest, 200));
      }
    }
    if (verity) notes_.AddClaim("dmVerityCorrupted", corrupted);
  }

  void AddCoverage() {
    notes_.AddClaim("imaPolicyMeasured", !policies_.empty());
    if (policies_.empty()) {
      AddObserved();
      notes_.NotChecked("what the host's IMA policy leaves out",
                        "the kernel did not measure the policy's text; the list shows only what "
                        "was measured");
      return;
    }
    // Rules are only ever added, or replaced once: all that was in force says what is left out.
    for (const absl::string_view policy : policies_) {
      PolicyCoverage coverage = CoverageOf(policy);
      for (std::string& name : coverage.measured) AddOnce("imaCoverage", std::move(name));
      for (NotChecked& row : coverage.not_measured)
        notes_.NotChecked(std::move(row.what), std::move(row.why));
    }
  }

  // What the list itself shows to be measured.
  void AddObserved() {
    if (facts_.modules > 0) AddOnce("imaCoverage", "modules");
    if (facts_.policy_file) AddOnce("imaCoverage", "policy");
    if (keys_) AddOnce("imaCoverage", "keys");
    for (const KernelRecord& record : facts_.records) {
      if (record.name == kKexecCommandLine) {
        AddOnce("imaCoverage", "kexec_command_line");
      } else if (!IsKeyring(record.name)) {
        AddOnce("imaCoverage", "critical_data");
      }
    }
  }

  const Facts& facts_;
  Notes& notes_;
  DeviceMapper devices_;
  std::vector<absl::string_view> policies_;
  std::optional<bool> selinux_;
  bool keys_ = false;
  std::set<std::pair<std::string, std::string>> said_;
};

}  // namespace

std::vector<MeasuredKey> KeysOf(const Facts& facts) {
  std::vector<MeasuredKey> keys;
  for (const KernelRecord& record : facts.records) {
    if (IsKeyring(record.name)) keys.push_back({record.name, record.data});
  }
  return keys;
}

void AddClaims(const Facts& facts, Notes& notes) { ClaimMaker(facts, notes).Run(); }

}  // namespace bootgate::gatekeeper::appraisal::ima_list
