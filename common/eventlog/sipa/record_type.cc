#include "common/eventlog/sipa/record_type.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace bootgate::eventlog::sipa {
namespace {

constexpr NamedValue kTransferControl[] = {{0, "NONE"},      {1, "OSLOADER"},   {2, "RESUME"},
                                           {3, "MSUTILITY"}, {4, "NOSIGCHECK"}, {5, "HYPERVISOR"}};
constexpr NamedValue kBitLockerUnlock[] = {
    {0, "NONE"},        {0x1, "CACHED"},    {0x2, "MEDIA"},       {0x4, "TPM"},   {0x10, "PIN"},
    {0x20, "EXTERNAL"}, {0x40, "RECOVERY"}, {0x80, "PASSPHRASE"}, {0x100, "NBP"}, {0x200, "AUK"}};
constexpr NamedValue kDataExecution[] = {
    {0, "OPTIN"}, {1, "OPTOUT"}, {2, "ALWAYSOFF"}, {3, "ALWAYSON"}};
constexpr NamedValue kAddressExtension[] = {{0, "DEFAULT"}, {1, "ENABLE"}, {2, "DISABLE"}};
constexpr NamedValue kHypervisorPolicy[] = {{0, "DEFAULT"}, {1, "ENABLE"}, {2, "DISABLE"}};
constexpr NamedValue kLaunchType[] = {{0, "OFF"}, {1, "AUTO"}};
constexpr NamedValue kOsDevice[] = {{0, "UNKNOWN"},
                                    {0x10001, "BLOCKIO_HARDDISK"},
                                    {0x10002, "BLOCKIO_REMOVABLEDISK"},
                                    {0x10003, "BLOCKIO_CDROM"},
                                    {0x10004, "BLOCKIO_PARTITION"},
                                    {0x10005, "BLOCKIO_FILE"},
                                    {0x10006, "BLOCKIO_RAMDISK"},
                                    {0x10007, "BLOCKIO_VIRTUALHARDDISK"},
                                    {0x20000, "SERIAL"},
                                    {0x30000, "UDP"},
                                    {0x40000, "VMBUS"},
                                    {0x50000, "COMPOSITE"},
                                    {0x60000, "CIMFS"}};
constexpr NamedValue kSmtStatus[] = {{0, "OFF_OR_UNSUPPORTED"}, {1, "ON"}, {2, "OFF_BY_SOFTWARE"}};
constexpr NamedValue kHvciPolicy[] = {{1, "HypervisorEnforcedCodeIntegrityEnable"}};

constexpr RecordType kRecords[] = {
    {0x00020001, "EVENT_INFORMATION", Form::kBytes},
    {0x00020002, "EVENT_BOOTCOUNTER", Form::kNumber},
    {0x00020003, "EVENT_TRANSFER_CONTROL", Form::kEnumeration, false, kTransferControl},
    {0x00020004, "EVENT_APPLICATION_RETURN", Form::kBytes},
    {0x00020005, "EVENT_BITLOCKER_UNLOCK", Form::kFlags, false, kBitLockerUnlock},
    {0x00020006, "EVENT_EVENTCOUNTER", Form::kNumber},
    {0x00020007, "EVENT_COUNTERID", Form::kNumber},
    {0x00020008, "EVENT_MORBIT_NOT_CANCELABLE", Form::kNumber},
    {0x00020009, "EVENT_APPLICATION_SVN", Form::kNumber},
    {0x0002000a, "EVENT_SVN_CHAIN_STATUS", Form::kNumber},
    {0x0002000b, "EVENT_MORBIT_API_STATUS", Form::kNumber},
    {0x0002000c, "EVENT_IDK_GENERATION_STATUS", Form::kNumber},
    {0x00030001, "ERROR_FIRMWAREFAILURE", Form::kBytes},
    {0x00030003, "ERROR_INTERNALFAILURE", Form::kBytes},
    {0x00030005, "ERROR_HYPERVISORFAILURE", Form::kBytes},
    {0x00040001, "EVENT_BOOTDEBUGGING", Form::kBoolean},
    {0x00040002, "EVENT_BOOT_REVOCATION_LIST", Form::kStructure},
    {0x00050001, "EVENT_OSKERNELDEBUG", Form::kBoolean},
    {0x00050002, "EVENT_CODEINTEGRITY", Form::kBoolean},
    {0x00050003, "EVENT_TESTSIGNING", Form::kBoolean},
    {0x00050004, "EVENT_DATAEXECUTIONPREVENTION", Form::kEnumeration, false, kDataExecution},
    {0x00050005, "EVENT_SAFEMODE", Form::kBoolean},
    {0x00050006, "EVENT_WINPE", Form::kBoolean},
    {0x00050007, "EVENT_PHYSICALADDRESSEXTENSION", Form::kEnumeration, false, kAddressExtension},
    {0x00050008, "EVENT_OSDEVICE", Form::kEnumeration, false, kOsDevice},
    {0x00050009, "EVENT_SYSTEMROOT", Form::kText},
    {0x0005000a, "EVENT_HYPERVISOR_LAUNCH_TYPE", Form::kEnumeration, false, kLaunchType},
    {0x0005000b, "EVENT_HYPERVISOR_PATH", Form::kText},
    {0x0005000c, "EVENT_HYPERVISOR_IOMMU_POLICY", Form::kEnumeration, false, kHypervisorPolicy},
    {0x0005000d, "EVENT_HYPERVISOR_DEBUG", Form::kBoolean},
    {0x0005000e, "EVENT_DRIVER_LOAD_POLICY", Form::kEnumeration},
    {0x0005000f, "EVENT_SI_POLICY", Form::kStructure, true},
    {0x00050010, "EVENT_HYPERVISOR_MMIO_NX_POLICY", Form::kEnumeration, false, kHypervisorPolicy},
    {0x00050011, "EVENT_HYPERVISOR_MSR_FILTER_POLICY", Form::kEnumeration, false,
     kHypervisorPolicy},
    {0x00050012, "EVENT_VSM_LAUNCH_TYPE", Form::kEnumeration, false, kLaunchType},
    {0x00050013, "EVENT_OS_REVOCATION_LIST", Form::kStructure},
    {0x00050014, "EVENT_SMT_STATUS", Form::kEnumeration, false, kSmtStatus},
    {0x00050020, "EVENT_VSM_IDK_INFO", Form::kStructure},
    {0x00050021, "EVENT_FLIGHTSIGNING", Form::kBoolean},
    {0x00050022, "EVENT_PAGEFILE_ENCRYPTION_ENABLED", Form::kBoolean},
    {0x00050023, "EVENT_VSM_IDKS_INFO", Form::kStructure},
    {0x00050024, "EVENT_HIBERNATION_DISABLED", Form::kBoolean},
    {0x00050025, "EVENT_DUMPS_DISABLED", Form::kBoolean},
    {0x00050026, "EVENT_DUMP_ENCRYPTION_ENABLED", Form::kBoolean},
    {0x00050027, "EVENT_DUMP_ENCRYPTION_KEY_DIGEST", Form::kBytes},
    {0x00050028, "EVENT_LSAISO_CONFIG", Form::kEnumeration},
    {0x00050029, "EVENT_SBCP_INFO", Form::kStructure},
    {0x00050030, "EVENT_HYPERVISOR_BOOT_DMA_PROTECTION", Form::kBoolean},
    {0x00050031, "EVENT_SI_POLICY_SIGNER", Form::kStructure},
    {0x00050032, "EVENT_SI_POLICY_UPDATE_SIGNER", Form::kStructure},
    {0x00050033, "EVENT_REFS_VOLUME_CHECKPOINT_RECORD_CHECKSUM", Form::kBytes},
    {0x00050034, "EVENT_REFS_ROLLBACK_PROTECTION_FROZEN_VOLUME_CHECKSUM", Form::kBytes},
    {0x00050035, "EVENT_REFS_ROLLBACK_PROTECTION_USER_PAYLOAD_HASH", Form::kBytes},
    {0x00050036, "EVENT_REFS_ROLLBACK_PROTECTION_VERIFICATION_SUCCEEDED", Form::kBytes},
    {0x00050037, "EVENT_REFS_ROLLBACK_PROTECTION_VOLUME_FIRST_EVER_MOUNT", Form::kBytes},
    {0x0005003a, "EVENT_VSM_SEALED_SI_POLICY", Form::kBytes},
    {0x0005003b, "EVENT_VSM_DRTM_KEYROLL_DETECTED", Form::kBytes},
    {0x0005003c, "EVENT_VSM_SRTM_UNSEAL_POLICY", Form::kBytes},
    {0x0005003d, "EVENT_VSM_SRTM_ANTI_ROLLBACK_COUNTER", Form::kBytes},
    {0x00050040, "EVENT_VTL1_DUMP_CONFIG", Form::kBytes},
    {0x00060001, "EVENT_NOAUTHORITY", Form::kBoolean},
    {0x00060002, "EVENT_AUTHORITYPUBKEY", Form::kBytes},
    {0x00070001, "EVENT_FILEPATH", Form::kText},
    {0x00070002, "EVENT_IMAGESIZE", Form::kNumber},
    {0x00070003, "EVENT_HASHALGORITHMID", Form::kNumber},
    {0x00070004, "EVENT_AUTHENTICODEHASH", Form::kBytes},
    {0x00070005, "EVENT_AUTHORITYISSUER", Form::kText},
    {0x00070006, "EVENT_AUTHORITYSERIAL", Form::kBytes},
    {0x00070007, "EVENT_IMAGEBASE", Form::kNumber},
    {0x00070008, "EVENT_AUTHORITYPUBLISHER", Form::kText},
    {0x00070009, "EVENT_AUTHORITYSHA1THUMBPRINT", Form::kBytes},
    {0x0007000a, "EVENT_IMAGEVALIDATED", Form::kBoolean},
    {0x0007000b, "EVENT_MODULE_SVN", Form::kNumber},
    {0x0007000c, "EVENT_MODULE_PLUTON", Form::kBytes},
    {0x0007000d, "EVENT_MODULE_ORIGINAL_FILENAME", Form::kText},
    {0x0007000e, "EVENT_MODULE_VERSION", Form::kBytes},
    {0x0007000f, "EVENT_PUBLISHER_OEMNAME", Form::kText},
    {0x00090001, "EVENT_ELAM_KEYNAME", Form::kText},
    {0x00090002, "EVENT_ELAM_CONFIGURATION", Form::kBytes},
    {0x00090003, "EVENT_ELAM_POLICY", Form::kBytes},
    {0x00090004, "EVENT_ELAM_MEASURED", Form::kBytes},
    {0x000a0001, "EVENT_VBS_VSM_REQUIRED", Form::kBoolean},
    {0x000a0002, "EVENT_VBS_SECUREBOOT_REQUIRED", Form::kBoolean},
    {0x000a0003, "EVENT_VBS_IOMMU_REQUIRED", Form::kBoolean},
    {0x000a0004, "EVENT_VBS_MMIO_NX_REQUIRED", Form::kBoolean},
    {0x000a0005, "EVENT_VBS_MSR_FILTERING_REQUIRED", Form::kBoolean},
    {0x000a0006, "EVENT_VBS_MANDATORY_ENFORCEMENT", Form::kBoolean},
    {0x000a0007, "EVENT_VBS_HVCI_POLICY", Form::kEnumeration, false, kHvciPolicy},
    {0x000a0008, "EVENT_VBS_MICROSOFT_BOOT_CHAIN_REQUIRED", Form::kBoolean},
    {0x000a0009, "EVENT_VBS_DUMP_USES_AMEROOT", Form::kBoolean},
    {0x000a000a, "EVENT_VBS_VSM_NOSECRETS_ENFORCED", Form::kBoolean},
    {0x000b0001, "EVENT_KSR_SIGNATURE", Form::kStructure},
    {0x000c0001, "EVENT_DRTM_STATE_AUTH", Form::kSignedState},
    {0x000c0002, "EVENT_DRTM_SMM", Form::kEnumeration},
    {0x000c0003, "EVENT_DRTM_AMD_SMM_HASH", Form::kBytes},
    {0x000c0004, "EVENT_DRTM_AMD_SMM_SIGNER_KEY", Form::kBytes},
    {kTrustBoundary, "EVENT_TRUSTBOUNDARY", Form::kContainer},
    {0x40010002, "EVENT_ELAM_AGGREGATION", Form::kContainer, true},
    {kLoadedModule, "EVENT_LOADEDMODULE_AGGREGATION", Form::kContainer, true},
    {0x40010005, "EVENT_KSR_AGGREGATION", Form::kContainer},
    {0x40010006, "EVENT_KSR_SIGNED_MEASUREMENT_AGGREGATION", Form::kContainer},
    {0x80030002, "ERROR_TPMFAILURE", Form::kBytes},
    {0x80030004, "ERROR_KSRFAILURE", Form::kBytes},
    {0x80080001, "EVENT_QUOTE", Form::kBytes},
    {0x80080002, "EVENT_QUOTESIGNATURE", Form::kBytes},
    {0x80080003, "EVENT_AIKID", Form::kText},
    {0x80080004, "EVENT_AIKPUBDIGEST", Form::kBytes},
    {kTrustPoint, "EVENT_TRUSTPOINT_AGGREGATION", Form::kContainer},
};

constexpr bool IsBefore(const RecordType& a, const RecordType& b) { return a.id < b.id; }
static_assert(std::is_sorted(std::begin(kRecords), std::end(kRecords), IsBefore));

std::string FlagNames(const RecordType& type, uint64_t value) {
  std::string text;
  for (const NamedValue& row : type.names) {
    if (row.value == 0 || (value & row.value) != row.value) continue;
    absl::StrAppend(&text, text.empty() ? "" : "|", row.name);
    value &= ~row.value;
  }
  return value == 0 ? text : "";
}

}  // namespace

std::span<const RecordType> RecordTypes() { return kRecords; }

const RecordType* FindRecordType(uint32_t id) {
  const RecordType* const row =
      std::lower_bound(std::begin(kRecords), std::end(kRecords), id,
                       [](const RecordType& type, uint32_t wanted) { return type.id < wanted; });
  return row != std::end(kRecords) && row->id == id ? row : nullptr;
}

std::string RecordName(uint32_t id) {
  const RecordType* const type = FindRecordType(id);
  if (type != nullptr) return std::string(type->name);
  return absl::StrCat("EVENT_0x",
                      absl::AsciiStrToUpper(absl::StrCat(absl::Hex(id, absl::kZeroPad8))));
}

std::string ValueName(const RecordType& type, uint64_t value) {
  if (type.form == Form::kFlags && value != 0) return FlagNames(type, value);
  for (const NamedValue& row : type.names) {
    if (row.value == value) return std::string(row.name);
  }
  return "";
}

bool LooksLikeRecord(uint32_t id) {
  constexpr uint32_t kUsed = kNotMeasured | kAggregation | kClassMask | 0xffff;
  return (id & ~kUsed) == 0 && (id & kClassMask) != 0;
}

}  // namespace bootgate::eventlog::sipa
