#include "gatekeeper/appraisal/tpm_state.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/appraisal/notes.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using advisories::FirmwareAdvisories;
using advisories::FirmwareAdvisory;
using advisories::FirmwareVersionText;

void AddCounters(const tpm2::ClockInfo& clock, Notes& notes) {
  notes.AddClaim("clockSafe", clock.safe);
  notes.AddClaim("tpmResetCount", int64_t{clock.reset_count});
  notes.AddClaim("tpmRestartCount", int64_t{clock.restart_count});
}

void AddFirmware(uint64_t now, uint64_t before, Notes& notes) {
  const std::string version = FirmwareVersionText(now);
  notes.AddClaim("tpmFirmwareVersion", version);
  const bool changed = before != 0 && before != now;
  notes.AddClaim("tpmFirmwareChanged", changed);
  notes.Checked(changed ? absl::StrCat("TPM firmware version: ", version, ", changed from ",
                                       FirmwareVersionText(before))
                        : absl::StrCat("TPM firmware version: ", version));
}

// What was verified at enrolment; a policy may ask for more than the gatekeeper's configuration.
void AddOrigin(const host::HostRecord& host, Notes& notes) {
  const std::string manufacturer = advisories::VendorName(host.tpm.manufacturer);
  if (!manufacturer.empty()) notes.AddClaim("tpmManufacturer", manufacturer);
  if (!host.tpm.model.empty()) notes.AddClaim("tpmModel", Printable(host.tpm.model));
  if (!host.ek_trust.empty()) notes.AddClaim("ekTrust", host.ek_trust);
  if (!host.assurance.empty()) notes.AddClaim("ekAssurance", host.assurance);
  for (const std::string& tolerance : host.tolerances) {
    notes.AddClaim("ekTolerances", Printable(tolerance));
  }
}

void AddWeakness(const FirmwareAdvisory& advisory, uint64_t firmware, Severity severity,
                 Notes& notes) {
  notes.AddClaim("tpmAdvisory", advisory.id);
  Finding& finding =
      notes.Add(Reason::kTpmFirmwareVulnerable, severity,
                absl::StrCat("The TPM's firmware ", FirmwareVersionText(firmware), " (",
                             advisory.manufacturer, ") has a published weakness, ", advisory.id,
                             advisory.weakness.empty() ? "." : ": ", advisory.weakness));
  finding.expected = absl::StrCat("none of ", FirmwareVersionText(advisory.first), " to ",
                                  FirmwareVersionText(advisory.last));
  finding.actual = FirmwareVersionText(firmware);
}

void LookForWeaknesses(const host::HostRecord& host, uint64_t firmware,
                       const FirmwareAdvisories& known, Severity severity, Notes& notes) {
  const std::string manufacturer = advisories::VendorName(host.tpm.manufacturer);
  if (manufacturer.empty()) {
    notes.NotChecked(
        "published weaknesses of the TPM's firmware",
        host.tpm.manufacturer.empty()
            ? "who made the TPM is not known: no EK certificate was verified"
            : absl::StrCat("the TPM's manufacturer, ", Printable(host.tpm.manufacturer),
                           ", is none that publishes any"));
    return;
  }
  const std::vector<const FirmwareAdvisory*> found = known.About(manufacturer, firmware);
  notes.AddClaim("tpmFirmwareVulnerable", !found.empty());
  for (const FirmwareAdvisory* advisory : found) AddWeakness(*advisory, firmware, severity, notes);
  notes.Checked(absl::StrCat("published weaknesses of the TPM's firmware (", manufacturer, ")"));
}

}  // namespace

TpmAppraisal AppraiseTpm(const tpm2::AttestHeader& header, const host::HostRecord& host,
                         const FirmwareAdvisories& known, Severity on_weak_firmware) {
  TpmAppraisal out;
  Notes notes(out.findings, out.claims, out.coverage);
  AddCounters(header.clock, notes);
  AddFirmware(header.firmware_version, host.tpm.firmware, notes);
  AddOrigin(host, notes);
  LookForWeaknesses(host, header.firmware_version, known, on_weak_firmware, notes);
  return out;
}

bool FirmwareRegistersAtStart(const tpm2::QuotedPcrs& quoted) {
  constexpr uint32_t kFirst = 1, kLast = 7;
  bool some = false;
  for (const registers::RegisterBank& bank : quoted.banks()) {
    for (uint32_t i = kFirst; i <= kLast; ++i) {
      const auto value = bank.Get(i);
      if (!value.has_value()) continue;
      if (!value->IsZero()) return false;
      some = true;
    }
  }
  return some;
}

}  // namespace bootgate::gatekeeper::appraisal
