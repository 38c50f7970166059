#include "gatekeeper/claims/claim_names.h"

#include <algorithm>

namespace bootgate::gatekeeper {
namespace {

using enum ClaimKind;
using enum Occurrence;
using enum Proof;

// clang-format off
constexpr ClaimName kNames[] = {
    // The attestation key, and the keys that the host shows.
    {"aikValidated", kBoolean, kOnce, kTrue, "the attestation key is enrolled and bound to its TPM"},
    {"aikPubHash", kString, kOnce, kValue, "base64 of the SHA-256 of the attestation key"},
    {"tpmVersion", kInteger, kOnce, kNothing, "major version of the TPM"},
    {"x-ms-tpm-request-key", kJson, kOnce, kInside, "the key that a token is bound to"},
    {"x-ms-tpm-other-keys", kJson, kOnce, kInside, "further keys that the TPM certified"},
    // The TPM: what was verified of it when it joined, and what it signs of itself.
    {"ekTrust", kString, kOnce, kValue, "what the endorsement key was believed by"},
    {"ekAssurance", kString, kOnce, kValue, "what was verified of the TPM: ek-certificate, ek-key, cloud-ak"},
    {"ekTolerances", kString, kSeveral, kNothing, "departures of the EK certificate that were lived with"},
    {"tpmManufacturer", kString, kOnce, kValue, "vendor id out of the EK certificate: IFX, INTC"},
    {"tpmModel", kString, kOnce, kValue, "model out of the EK certificate"},
    {"tpmFirmwareVersion", kString, kOnce, kValue, "as the TPM signs it: 7.85.4555.0"},
    {"tpmFirmwareChanged", kBoolean, kOnce, kNothing, "it was another at the last evidence"},
    {"tpmFirmwareVulnerable", kBoolean, kOnce, kFalse, "it has a published weakness"},
    {"tpmAdvisory", kString, kSeveral, kNothing, "ids of its published weaknesses"},
    {"clockSafe", kBoolean, kOnce, kNothing, "the TPM's clock is above all values told before"},
    {"tpmResetCount", kInteger, kOnce, kNothing, "how often the TPM was reset"},
    {"tpmRestartCount", kInteger, kOnce, kNothing, "how often it was restarted since (sleep)"},
    // The logs as a whole.
    {"bootLogReplayed", kBoolean, kOnce, kTrue, "the boot log leads to every quoted PCR"},
    {"userLogReplayed", kBoolean, kOnce, kTrue, "systemd's log leads on to every PCR it is about"},
    {"userLogPhase", kString, kOnce, kValue, "the last boot phase that systemd's log proves"},
    {"imaReplayed", kBoolean, kOnce, kTrue, "the IMA list leads to the quoted PCR 10"},
    {"referenceMatched", kBoolean, kOnce, kTrue, "no event and no file differs from the reference"},
    {"events", kJson, kOnce, kInside, "boot log and IMA list up to the quoted state"},
    {"pcrs", kJson, kOnce, kInside, "the quoted PCRs; read-only"},
    // Windows.
    {"bootDebuggingDisabled", kBoolean, kOnce, kTrue, "Windows booted without a boot debugger"},
    {"notSafeMode", kBoolean, kOnce, kTrue, "Windows did not boot in safe mode"},
    {"notWinPE", kBoolean, kOnce, kTrue, "it is no Windows PE"},
    {"vbsEnabled", kBoolean, kOnce, kTrue, "virtualization-based security was started"},
    {"iommuEnabled", kBoolean, kOnce, kTrue, "Windows' hypervisor requires an IOMMU"},
    {"vbsReportPresent", kBoolean, kOnce, kTrue, "a report of an enclave; none in boot evidence"},
    // The IMA list.
    {"kernelVersion", kString, kSeveral, kValue, "the kernels' versions"},
    {"kexecCommandLine", kString, kSeveral, kValue, "command lines of kernels loaded for kexec"},
    {"measuredKeyring", kString, kSeveral, kValue, "keyrings that a key was loaded into"},
    {"measuredKey", kString, kSeveral, kValue, "keyring and SHA-256 of the certificate"},
    {"measuredKeySubject", kString, kSeveral, kValue, "subjects of these certificates"},
    {"dmTarget", kString, kSeveral, kValue, "device-mapper targets in use"},
    {"dmVerityDevice", kString, kSeveral, kValue, "devices with dm-verity"},
    {"dmVerityRootDigest", kString, kSeveral, kValue, "their root digests"},
    {"dmVerityCorrupted", kBoolean, kOnce, kFalse, "a block of one of them did not fit its hash"},
    {"selinuxState", kString, kSeveral, kValue, "SELinux's state as it measured it"},
    {"selinuxPolicyDigest", kString, kSeveral, kValue, "digests of SELinux policies"},
    {"selinuxEnforcing", kBoolean, kOnce, kTrue, "every measured state says so"},
    {"criticalData", kString, kSeveral, kNothing, "names of the kernel's other records"},
    {"imaViolations", kInteger, kOnce, kValue, "entries that are violations"},
    {"imaVerityFiles", kInteger, kOnce, kValue, "entries with an fs-verity digest"},
    {"imaSignedFiles", kInteger, kOnce, kValue, "entries with a signature, unchecked"},
    {"imaAllFilesVerity", kBoolean, kOnce, kTrue, "every file has an fs-verity digest"},
    {"imaPolicyMeasured", kBoolean, kOnce, kTrue, "the text of the IMA policy is in the list"},
    {"imaCoverage", kString, kSeveral, kValue, "what the IMA policy measures"},
    // The boot log.
    {"bootLogQuirks", kString, kSeveral, kNothing, "tolerated departures from the specification"},
    {"secureBootEnabled", kBoolean, kOnce, kTrue, "Secure Boot was on"},
    {"uefiDebugModeEnabled", kBoolean, kOnce, kFalse, "a debugger may be attached to the firmware"},
    {"dmaProtectionDisabled", kBoolean, kOnce, kFalse, "devices may write memory under the firmware"},
    {"secureBootPlatformKey", kString, kSeveral, kValue, "SHA-256 of the certificates in PK"},
    {"secureBootExchangeKey", kString, kSeveral, kValue, "SHA-256 of the certificates in KEK"},
    {"secureBootAllowedKey", kString, kSeveral, kValue, "SHA-256 of the certificates in db"},
    {"machineOwnerKey", kString, kSeveral, kValue, "SHA-256 of the certificates in shim's MokList"},
    {"secureBootUnknownKeys", kInteger, kOnce, kValue, "how many of these we do not know by name"},
    {"testKeysEnrolled", kBoolean, kOnce, kFalse, "one of them is a published test key"},
    {"secureBootAuthorities", kString, kSeveral, kValue, "subjects of what let an image run"},
    {"dbxEntryCount", kInteger, kOnce, kValue, "entries of the list of forbidden images"},
    {"dbxNewestEntry", kString, kOnce, kValue, "month of the newest published entry: 2023-05"},
    {"dbxNewestMonth", kInteger, kOnce, kValue, "the same as a number: 202305"},
    {"sbatLevel", kInteger, kOnce, kValue, "shim's level of revocations"},
    {"bootLoaderDigest", kString, kSeveral, kValue, "digests of the EFI applications started"},
    {"kernelCommandLine", kString, kSeveral, kValue, "command lines that boot loaders measured"},
    {"kernelDebugEnabled", kBoolean, kOnce, kFalse, "a kernel debugger on a command line"},
    {"kaslrDisabled", kBoolean, kOnce, kFalse, "nokaslr on a command line"},
    {"initOverridden", kBoolean, kOnce, kFalse, "another init on a command line"},
    {"debugShellEnabled", kBoolean, kOnce, kFalse, "a root shell without a password"},
    {"moduleSignatureEnforced", kBoolean, kOnce, kTrue, "module.sig_enforce on all command lines"},
    {"kernelLockdown", kString, kOnce, kValue, "the least lockdown asked for on a command line"},
    {"imaAppraise", kString, kSeveral, kValue, "what ima_appraise= asks for"},
    {"imaPolicy", kString, kSeveral, kValue, "what ima_policy= asks for"},
    {"kernelWeakeningOption", kString, kSeveral, kNothing, "options that weaken the host"},
    {"kernelHardeningOption", kString, kSeveral, kValue, "options that strengthen the host"},
};
// clang-format on

constexpr absl::string_view kTokenNames[] = {
    "iss",
    "iat",
    "exp",
    "nbf",
    "jti",
    "cnf",
    "nonce",
    "rp_data",
    "ver",
    "x-ms-ver",
    "x-ms-attestation-type",
    "x-ms-policy-hash",
    "x-ms-policy-signer",
    "x-ms-policy",
};

}  // namespace

absl::string_view Name(ClaimKind kind) {
  switch (kind) {
    case kBoolean:
      return "Boolean";
    case kInteger:
      return "Integer";
    case kString:
      return "String";
    case kJson:
      return "JSON";
  }
  __builtin_unreachable();
}

absl::Span<const ClaimName> ClaimNames() { return kNames; }

absl::Span<const absl::string_view> TokenNames() { return kTokenNames; }

const ClaimName* FindClaimName(absl::string_view name) {
  const auto* const row = std::ranges::find(kNames, name, &ClaimName::name);
  return row == std::ranges::end(kNames) ? nullptr : row;
}

}  // namespace bootgate::gatekeeper
