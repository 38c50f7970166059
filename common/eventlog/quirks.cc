#include "common/eventlog/quirks.h"

#include <bitset>

#include "absl/strings/match.h"
#include "common/bytes/reader.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/uefi_variable.h"
#include "common/registers/bank.h"

namespace bootgate::eventlog {
namespace {

constexpr uint32_t kNoRegister = 0xffffffff;
constexpr uint32_t kTrustPointAggregation = 0xc0010004;  // SIPAEVENT_TRUSTPOINT_AGGREGATION
constexpr uint32_t kSecureBootRegister = 7;
constexpr uint32_t kBitLockerRegister = 11;
constexpr uint32_t kFirstWindowsRegister = 12;
constexpr uint32_t kLastWindowsRegister = 14;
constexpr size_t kShimSurplus = 6;  // bytes behind the variable, of which five are hashed
constexpr absl::string_view kWindowsLoaderStarts("\x10\0\0\0", 4);
constexpr absl::string_view kWindowsEnd = "WBCL";
constexpr absl::string_view kEveFile = "file:/config/";
constexpr absl::string_view kBootGuardText("Boot Guard Measured S-CRTM\0", 27);

bool IsHashOf(const Log& log, const Event& event, crypto::HashAlg alg, ByteView data) {
  const std::optional<ByteView> digest = log.DigestOf(event, alg);
  return digest.has_value() && SameBytes(*digest, crypto::Hash(alg, data).view());
}

// Whether each digest that the record has, of banks that we know, is of `data`, and there is one.
bool EachDigestIsOf(const Log& log, const Event& event, ByteView data) {
  size_t digests = 0;
  for (const crypto::HashAlg alg : log.banks()) {
    if (!log.DigestOf(event, alg).has_value()) continue;
    if (!IsHashOf(log, event, alg, data)) return false;
    ++digests;
  }
  return digests != 0;
}

bool IsWindowsLoader(const Event& event) {
  return event.untrusted_type == kEvCompactHash && event.register_index == kBitLockerRegister &&
         AsText(event.data) == kWindowsLoaderStarts;
}

bool IsEveFile(const Event& event) {
  return event.untrusted_type == kEvEfiAction && event.register_index == kLastWindowsRegister &&
         absl::StartsWith(AsText(event.data), kEveFile);
}

// Announced but never used banks: the log's first record already lacks them.
bool IsFirst(const Event& event) { return event.number == 1; }

bool IsInTail(const Log& log, const Event& event, bool (*begins)(const Event&)) {
  const std::optional<uint32_t> from = log.fewer_digests_from();
  return from.has_value() && event.number >= *from && begins(log.events()[*from]);
}

bool IsWindowsTail(const Log& log, const Event& event) {
  return IsInTail(log, event, IsWindowsLoader);
}
bool IsEveTail(const Log& log, const Event& event) { return IsInTail(log, event, IsEveFile); }
bool HasUnusedBanks(const Log& log, const Event& event) { return IsInTail(log, event, IsFirst); }

bool HasNonZeroTrustBoundary(const Log& log, const Event& event) {
  return event.number + 1 == log.events().size() && IsTrustBoundary(log, event);
}

// The form alone; that the digest is of all but the last byte only a hash can tell.
bool LooksLikeShimAuthority(const Event& event) {
  if (event.untrusted_type != kEvEfiVariableAuthority ||
      event.register_index != kSecureBootRegister) {
    return false;
  }
  const std::optional<UefiVariableParts> parts = SplitUefiVariable(event.data);
  return parts.has_value() && parts->surplus == kShimSurplus;
}

bool IsShimAuthority(const Log& log, const Event& event) {
  return LooksLikeShimAuthority(event) &&
         EachDigestIsOf(log, event, event.data.first(event.data.size() - 1));
}

bool IsBootGuardVersion(const Log& log, const Event& event) {
  if (event.untrusted_type != kEvSCrtmVersion || event.register_index != 0 || event.number == 0) {
    return false;
  }
  const Event& before = log.events()[event.number - 1];
  return before.untrusted_type == kEvSCrtmContents && before.register_index == 0 &&
         AsText(before.data) == kBootGuardText;
}

bool IsUnhashedVersion(const Log& log, const Event& event) {
  return IsBootGuardVersion(log, event) && !EachDigestIsOf(log, event, event.data);
}

bool IsWholeBootVariable(const Log& log, const Event& event) {
  return event.untrusted_type == kEvEfiVariableBoot && EachDigestIsOf(log, event, event.data);
}

bool IsWindowsEnd(const Log& log, const Event& event) {
  return log.register_kind() == RegisterKind::kPcr && event.untrusted_type == kEvSeparator &&
         event.register_index >= kFirstWindowsRegister &&
         event.register_index <= kLastWindowsRegister && AsText(event.data) == kWindowsEnd;
}

bool IsCcSeparator(const Log& log, const Event& event) {
  return log.register_kind() == RegisterKind::kCcMeasurement &&
         event.untrusted_type == kEvSeparator && event.register_index >= kFirstCcRegister &&
         event.register_index <= kLastCcRegister;
}

bool IsCcHeaderInRegister0(const Log& log, const Event& event) {
  return log.register_kind() == RegisterKind::kCcMeasurement && event.number == 0 &&
         event.register_index != kFirstCcRegister;
}

// `once_per_register`: each register's first event of that kind is as it should be.
struct Row {
  Quirk quirk;
  bool (*shows)(const Log& log, const Event& event);
  bool once_per_register = false;
};

constexpr Row kRows[] = {
    {{"windows-trust-boundary",
      "The last record is an EV_NO_ACTION for no register with the digest of its own data: a quote "
      "that Windows took of itself. Nothing is extended and nothing is taken from it.",
      "immune-gmbh/guard-oss: IMN-SUPERMICRO-EPP-MSDefender, r340; google/go-attestation: "
      "option_rom_eventlog; kgoldman/ibmtss: ideapad1.log"},
     HasNonZeroTrustBoundary},
    {{"windows-fewer-digests",
      "From the Windows loader's first record on, the records have the digests of one bank only "
      "although the header announces more.",
      "kgoldman/ibmtss: dell1.log; immune-gmbh/guard-oss: x1carbon, t480s"},
     IsWindowsTail},
    {{"eve-fewer-digests",
      "EVE-OS appends records on its configuration files that have a SHA-256 digest only although "
      "the header announces more banks.",
      "lf-edge/eve: empty_uri.message"},
     IsEveTail},
    {{"unused-banks-announced", "The header announces banks of which no record has a digest.",
      "tpm2-software/tpm2-tools: test/integration/fixtures/event-uefiaction.bin"},
     HasUnusedBanks},
    {{"windows-end-separator",
      "PCR 12, 13 and 14 end with separators that read WBCL: Windows caps them so.",
      "kgoldman/ibmtss: hp1.log; Windows logs in general"},
     IsWindowsEnd},
    {{"shim-authority-surplus",
      "An authority record in PCR 7 has six bytes behind the variable, and the digest leaves out "
      "the last one of them: a miscounted length in older versions of shim.",
      "google/go-attestation: sb_cert_eventlog; kgoldman/ibmtss: sm1.log; osresearch/safeboot: "
      "t490; google/go-tpm-tools: gce-cos-85-no-nonce"},
     IsShimAuthority},
    {{"boot-guard-version-not-hashed",
      "With Intel Boot Guard, some firmware's EV_S_CRTM_VERSION has a digest that is not of the "
      "version in the record. The version is taken as not covered.",
      "immune-gmbh/guard-oss: r340, IMN-DELL-WBCL-BootCtrs"},
     IsUnhashedVersion},
    {{"boot-variable-hashed-whole",
      "EV_EFI_VARIABLE_BOOT with the digest of the whole record, name included, instead of the "
      "variable's content.",
      "canonical/tcglog-parser: binary_bios_measurements; kgoldman/ibmtss: hp1.log, sm1.log"},
     IsWholeBootVariable},
    {{"cc-repeated-separator",
      "A measurement register of a confidential machine has several separators: it stands for "
      "several PCRs.",
      "google/go-eventlog: cos-113-intel-tdx-dupe-separator; cc-api/cc-trusted-api: ccel_data.bin"},
     IsCcSeparator,
     /*once_per_register=*/true},
    {{"cc-header-in-register-0",
      "The header of a confidential machine's log is in register 0 instead of 1; the vendor "
      "information says whose log it is.",
      "confidential-containers/trustee: CCEL_data"},
     IsCcHeaderInRegister0},
};

}  // namespace

size_t QuirkCount() { return std::size(kRows); }
const Quirk& QuirkAt(size_t index) { return kRows[index].quirk; }

bool LooksLikeTrustBoundary(const Event& event) {
  bytes::Reader in(event.data);
  uint32_t tag = 0;
  uint32_t size = 0;
  return event.untrusted_type == kEvNoAction && event.register_index == kNoRegister &&
         in.TryU32Le(&tag) && tag == kTrustPointAggregation && in.TryU32Le(&size) &&
         size >= in.remaining();
}

bool IsTrustBoundary(const Log& log, const Event& event) {
  return LooksLikeTrustBoundary(event) && EachDigestIsOf(log, event, event.data);
}

bool MayBeginFewerDigests(const Event& event) {
  return IsFirst(event) || IsWindowsLoader(event) || IsEveFile(event);
}

std::optional<ByteView> HashedByQuirk(const Event& event) {
  if (!LooksLikeShimAuthority(event)) return std::nullopt;
  return event.data.first(event.data.size() - 1);
}

bool HashesSomethingElse(const Log& log, const Event& event) {
  return IsBootGuardVersion(log, event);
}

std::vector<UsedQuirk> UsedQuirks(const Log& log) {
  std::vector<UsedQuirk> used;
  for (const Row& row : kRows) {
    UsedQuirk use{.quirk = &row.quirk, .first_event = 0, .events = 0};
    std::bitset<registers::kCount> seen;
    for (const Event& event : log.events()) {
      if (!row.shows(log, event)) continue;
      if (row.once_per_register && !seen[event.register_index]) {
        seen.set(event.register_index);
        continue;
      }
      if (use.events == 0) use.first_event = event.number;
      ++use.events;
    }
    if (use.events != 0) used.push_back(use);
  }
  return used;
}

}  // namespace bootgate::eventlog
