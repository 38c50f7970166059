#include "gatekeeper/appraisal/boot.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/decode/secure_boot.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/replay.h"
#include "common/registers/selection.h"
#include "gatekeeper/appraisal/notes.h"
#include "gatekeeper/appraisal/windows_boot.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using crypto::Digest;
using crypto::HashAlg;
using registers::RegisterBank;

constexpr uint32_t kImaRegister = 10;
constexpr uint32_t kSecureBootRegister = 7;
constexpr uint32_t kEvSeparator = 0x00000004;
constexpr uint32_t kFirmwareMask = 0xff;  // PCR 0-7: what the firmware must extend itself
// What any boot through UEFI, shim or a kernel's EFI stub leaves behind.
constexpr uint32_t kBootMask = 0x3ff | (1u << 14);         // PCR 0-9, 14
constexpr uint32_t kDynamicFirst = 17, kDynamicLast = 22;  // start at ones

// Whether a register holds what it holds before anybody extends it.
bool IsStartValue(uint32_t index, const Digest& value) {
  if (value.IsZero()) return true;
  return index >= kDynamicFirst && index <= kDynamicLast && value == Digest::Ones(value.alg());
}

uint32_t MovedRegisters(const RegisterBank& bank) {
  uint32_t moved = 0;
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    const auto value = bank.Get(i);
    if (value && !IsStartValue(i, *value)) moved |= 1u << i;
  }
  return moved;
}

// The state of one quoted bank against the log.
struct BankResult {
  HashAlg alg = HashAlg::kSha256;
  uint32_t matched = 0;     // registers that follow from the log, start values included
  uint32_t mismatched = 0;  // registers that do not
};

// Goes through a log and a quote once and gathers what follows from them.
class BootAppraiser : private Notes {
 public:
  BootAppraiser(const tpm2::QuotedPcrs& quoted, const BootOptions& options, BootAppraisal* out)
      : Notes(out->findings, out->claims, out->coverage),
        quoted_(quoted),
        options_(options),
        log_(out->log),
        out_(*out) {}

  void Run() {
    CheckBanksAllowed();
    if (log_.format() == eventlog::Format::kEmpty && log_.defects().empty()) {
      AppraiseMissingLog();
      return;
    }
    ReportDefects();
    for (const RegisterBank& bank : quoted_.banks()) AppraiseBank(bank);
    CompareBanks();
    out_.replayed = std::all_of(results_.begin(), results_.end(),
                                [](const BankResult& r) { return r.mismatched == 0; }) &&
                    !results_.empty() && !HasFailure();
    AddClaim("bootLogReplayed", out_.replayed);
    ReportSecureBoot();
    ReportWindows();
  }

 private:
  bool IsAllowed(HashAlg alg) const {
    const auto& allowed = options_.allowed_banks;
    return std::find(allowed.begin(), allowed.end(), alg) != allowed.end();
  }

  // A weak bank beside a strong one is only noted: the verdict rests on the strong one.
  void CheckBanksAllowed() {
    const bool any_allowed =
        std::any_of(quoted_.banks().begin(), quoted_.banks().end(),
                    [this](const RegisterBank& bank) { return IsAllowed(bank.alg()); });
    for (const RegisterBank& bank : quoted_.banks()) {
      if (IsAllowed(bank.alg())) continue;
      if (any_allowed) {
        NotChecked(absl::StrCat("reference values and facts in bank ", crypto::Name(bank.alg())),
                   "no verdict may rest on this bank; its registers were only replayed");
        continue;
      }
      Add(Reason::kBankNotAllowed, Severity::kFail,
          absl::StrCat("The quote covers only bank ", crypto::Name(bank.alg()),
                       ", on which no verdict may rest."));
    }
  }

  void AppraiseMissingLog() {
    for (const RegisterBank& bank : quoted_.banks()) {
      const uint32_t moved = MovedRegisters(bank) & kBootMask;
      if (moved == 0) continue;
      Add(Reason::kLogMissing, Severity::kFail,
          absl::StrCat("There is no boot log although PCR ", registers::FormatMask(moved),
                       " of bank ", crypto::Name(bank.alg()),
                       " were extended. Debian's GRUB leaves no log when Secure Boot is off, and "
                       "some clouds' virtual TPMs give an empty one."));
      AddClaim("bootLogReplayed", false);
      break;
    }
    for (const RegisterBank& bank : quoted_.banks()) CheckUnexplainedWithoutLog(bank);
    NotChecked("boot log", "there is none");
  }

  // Without a log the boot's registers are one finding; the others still need an explanation.
  void CheckUnexplainedWithoutLog(const RegisterBank& bank) {
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const auto value = bank.Get(i);
      if (!value || i == kImaRegister || ((kBootMask >> i) & 1u) != 0) continue;
      ExplainWithoutEvents(bank.alg(), i, *value);
    }
  }

  static bool IsFatal(Reason reason) {
    switch (reason) {
      case Reason::kLogTruncated:
      case Reason::kLogTrailing:
      case Reason::kLogPcrIndex:
      case Reason::kLogDigests:
      case Reason::kLogLimit:
      case Reason::kLogSpecId:
      case Reason::kLogNoAction:
        return true;
      default:
        return false;
    }
  }

  void ReportDefects() {
    for (const eventlog::Defect& defect : log_.defects()) ReportDefect(defect);
  }

  // A record that merely lacks digests of banks that nobody quoted: some firmware and Windows boot
  // loaders write such. Each digest it has is of one bank, and the quoted banks are among them.
  bool LacksOnlyUnquotedBanks(const eventlog::Defect& defect) const {
    if (defect.reason != Reason::kLogDigests || !defect.event ||
        *defect.event >= log_.events().size()) {
      return false;
    }
    const eventlog::Event& event = log_.events()[*defect.event];
    const auto has = [&](HashAlg alg) { return log_.DigestOf(event, alg).has_value(); };
    const auto& banks = quoted_.banks();
    return std::count_if(log_.banks().begin(), log_.banks().end(), has) == event.digest_count &&
           std::all_of(banks.begin(), banks.end(),
                       [&](const RegisterBank& bank) { return has(bank.alg()); });
  }

  void ReportDefect(const eventlog::Defect& defect) {
    if (!reported_.insert({defect.reason, defect.offset}).second) return;
    const bool fatal = IsFatal(defect.reason) && !LacksOnlyUnquotedBanks(defect);
    Finding& finding = Add(defect.reason, fatal ? Severity::kFail : Severity::kWarning,
                           absl::StrCat("Boot log: ", defect.text, "."));
    finding.register_index = defect.register_index;
    finding.event = defect.event;
  }

  size_t CountEvents(uint32_t index) const {
    return static_cast<size_t>(std::count_if(
        log_.events().begin(), log_.events().end(), [index](const eventlog::Event& e) {
          return e.register_index == index && e.untrusted_type != eventlog::kEvNoAction;
        }));
  }

  void AppraiseBank(const RegisterBank& bank) {
    BankResult result;
    result.alg = bank.alg();
    if (!log_.HasBank(bank.alg())) {
      AppraiseBankWithoutLog(bank, &result);
    } else {
      const eventlog::Replay replay = eventlog::ReplayBank(log_, bank.alg());
      for (const eventlog::Defect& defect : replay.defects) ReportDefect(defect);
      if (IsUntouched(bank, replay.bank)) {
        ReportNotFirmwareMeasured(
            bank.alg(), "its PCR 0-7 were never extended although the log has events for them");
        result.mismatched = bank.mask() & kFirmwareMask;
      } else {
        MatchRegisters(bank, replay.bank, &result);
        CheckFirmwareMeasured(bank, result);
      }
    }
    if (result.matched != 0) {
      Checked(absl::StrCat("boot log replay to quoted PCR ", registers::FormatMask(result.matched),
                           " (", crypto::Name(bank.alg()), ")"));
    }
    results_.push_back(result);
  }

  void ReportNotFirmwareMeasured(HashAlg alg, absl::string_view why) {
    Add(Reason::kBankNotFirmwareMeasured, Severity::kFail,
        absl::StrCat("Bank ", crypto::Name(alg), " does not come from the firmware: ", why, "."));
  }

  // Somebody's log is for other banks than the quoted one: whatever this bank holds, the boot that
  // the log tells of did not put it there.
  void AppraiseBankWithoutLog(const RegisterBank& bank, BankResult* result) {
    const uint32_t moved = MovedRegisters(bank) & ~(1u << kImaRegister);
    result->mismatched = moved;
    result->matched = 0;
    if (log_.banks().empty()) {
      if (moved != 0 && !HasFailure()) {
        Add(Reason::kLogSpecId, Severity::kFail, "The boot log announces no bank that we know.");
      }
      return;
    }
    if ((bank.mask() & kFirmwareMask) == 0 && moved == 0) return;
    std::vector<std::string> names;
    for (const HashAlg alg : log_.banks()) names.emplace_back(crypto::Name(alg));
    ReportNotFirmwareMeasured(bank.alg(), absl::StrCat("the log has no digests of it, only of ",
                                                       absl::StrJoin(names, ", ")));
    result->mismatched |= bank.mask() & kFirmwareMask;
  }

  // All quoted firmware registers at their start, while the log tells of extends.
  static bool IsUntouched(const RegisterBank& quoted, const RegisterBank& replayed) {
    const uint32_t told = quoted.mask() & replayed.mask() & kFirmwareMask;
    return told != 0 && (MovedRegisters(quoted) & kFirmwareMask) == 0;
  }

  // A bank whose log replays but lacks what every firmware measures was filled by somebody else.
  void CheckFirmwareMeasured(const RegisterBank& bank, const BankResult& result) {
    const uint32_t asked = bank.mask() & kFirmwareMask;
    if (asked == 0 || (result.mismatched & kFirmwareMask) != 0) return;
    if (asked != kFirmwareMask) {
      NotChecked(absl::StrCat("whether the firmware measured bank ", crypto::Name(bank.alg())),
                 "not all of PCR 0-7 were quoted");
      return;
    }
    const auto code = bank.Get(0);
    if (code && IsStartValue(0, *code)) {
      ReportNotFirmwareMeasured(bank.alg(), "PCR 0 was never extended");
      return;
    }
    if (!HasSeparator(bank.alg())) {
      ReportNotFirmwareMeasured(bank.alg(), "no PCR 0-7 has a separator in it");
    }
  }

  bool HasSeparator(HashAlg alg) const {
    return std::any_of(log_.events().begin(), log_.events().end(), [&](const eventlog::Event& e) {
      return e.untrusted_type == kEvSeparator && e.register_index <= 7 &&
             eventlog::CoverageOf(log_, e, alg) == eventlog::Coverage::kCovered;
    });
  }

  void MatchRegisters(const RegisterBank& quoted, const RegisterBank& replayed,
                      BankResult* result) {
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const auto value = quoted.Get(i);
      if (!value || i == kImaRegister) continue;
      const auto told = replayed.Get(i);
      const bool matches = told ? *told == *value : ExplainWithoutEvents(quoted.alg(), i, *value);
      if (told && !matches) {
        if (MayMoveAtRunTime(i)) {
          NoteRunTime(quoted.alg(), i);
          continue;
        }
        ReportMismatch(quoted.alg(), i, *value, *told);
      }
      (matches ? result->matched : result->mismatched) |= 1u << i;
    }
  }

  bool MayMoveAtRunTime(uint32_t index) const {
    return ((options_.runtime_extended >> index) & 1u) != 0;
  }

  void NoteRunTime(HashAlg alg, uint32_t index) {
    NotChecked(absl::StrCat("PCR ", index, " (", crypto::Name(alg), ")"),
               "software extends it after the boot log ends (runtime_extended)");
  }

  // True when a register without events is as it started, or may move without events.
  bool ExplainWithoutEvents(HashAlg alg, uint32_t index, const Digest& value) {
    if (IsStartValue(index, value)) return true;
    if (MayMoveAtRunTime(index)) {
      NoteRunTime(alg, index);
      return true;
    }
    Finding& finding =
        Add(Reason::kPcrUnexplained, Severity::kFail,
            absl::StrCat("PCR ", index, " (", crypto::Name(alg),
                         ") was extended, and no event of the boot log explains it."));
    finding.register_index = index;
    finding.expected = Digest(alg).hex();
    finding.actual = value.hex();
    return false;
  }

  void ReportMismatch(HashAlg alg, uint32_t index, const Digest& quoted, const Digest& replayed) {
    const bool start_claimed = index == 0 && (log_.startup_locality() != 0 || log_.hcrtm());
    const size_t events = CountEvents(index);
    std::string text =
        absl::StrCat("The ", events, events == 1 ? " event" : " events", " of PCR ", index, " (",
                     crypto::Name(alg), ") do not lead to the quoted value");
    if (start_claimed) absl::StrAppend(&text, " from the start value that the log claims");
    const std::optional<uint32_t> parted = EventWhereTpmStood(alg, index, quoted);
    if (parted) {
      absl::StrAppend(&text, "; the TPM stood there before event ", *parted,
                      ": events were added to the log");
    }
    Finding& finding = Add(start_claimed ? Reason::kLogReplayPcr0 : Reason::kLogPcrMismatch,
                           Severity::kFail, absl::StrCat(text, "."));
    finding.register_index = index;
    finding.event = parted;
    finding.expected = quoted.hex();
    finding.actual = replayed.hex();
  }

  // When the quoted value is met on the way: the number of the next event, which the TPM never saw.
  std::optional<uint32_t> EventWhereTpmStood(HashAlg alg, uint32_t index,
                                             const Digest& quoted) const {
    const std::vector<Digest> trace = eventlog::Trace(log_, alg, index);
    const auto met = std::find(trace.begin(), trace.end(), quoted);
    if (met == trace.end()) return std::nullopt;
    size_t to_pass = static_cast<size_t>(met - trace.begin()) + 1;
    for (const eventlog::Event& event : log_.events()) {
      if (event.register_index != index || event.untrusted_type == eventlog::kEvNoAction) continue;
      if (to_pass == 0) return event.number;
      --to_pass;
    }
    return std::nullopt;
  }

  // Several banks must tell one story: the same registers replay, and each event's data is covered
  // by the digests of all of them or of none.
  void CompareBanks() {
    for (size_t i = 1; i < results_.size(); ++i) CompareRegisters(results_[0], results_[i]);
    if (results_.size() > 1) {
      CompareEvents();
      Checked("agreement of the quoted banks with one another");
    }
  }

  void CompareRegisters(const BankResult& a, const BankResult& b) {
    if (!log_.HasBank(a.alg) || !log_.HasBank(b.alg)) return;  // said already
    const uint32_t differ = (a.matched & b.mismatched) | (a.mismatched & b.matched);
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (((differ >> i) & 1u) == 0) continue;
      const bool first = ((a.matched >> i) & 1u) != 0;
      Finding& finding = Add(Reason::kLogBankDivergence, Severity::kFail,
                             absl::StrCat("PCR ", i, " follows from the log in bank ",
                                          crypto::Name(first ? a.alg : b.alg), " but not in bank ",
                                          crypto::Name(first ? b.alg : a.alg), "."));
      finding.register_index = i;
    }
  }

  void CompareEvents() {
    for (const eventlog::Event& event : log_.events()) {
      if (event.untrusted_type == eventlog::kEvNoAction || event.register_index == kImaRegister)
        continue;
      const BankResult* covered = nullptr;
      const BankResult* uncovered = nullptr;
      for (const BankResult& result : results_) {
        if (!log_.HasBank(result.alg)) continue;
        const bool holds =
            eventlog::CoverageOf(log_, event, result.alg) == eventlog::Coverage::kCovered;
        (holds ? covered : uncovered) = &result;
      }
      if (covered == nullptr || uncovered == nullptr) continue;
      Finding& finding =
          Add(Reason::kLogBankDivergence, Severity::kFail,
              absl::StrCat("The data of event ", event.number, " is what bank ",
                           crypto::Name(covered->alg), " measured but not what bank ",
                           crypto::Name(uncovered->alg), " measured."));
      finding.register_index = event.register_index;
      finding.event = event.number;
    }
  }

  // What Windows' boot programs measured, as the first allowed bank proves it.
  void ReportWindows() {
    for (const BankResult& result : results_) {
      if (!IsAllowed(result.alg) || !log_.HasBank(result.alg)) continue;
      ReportWindowsBoot(ReadWindowsFacts(log_, result.alg, result.matched), *this);
      return;
    }
  }

  // Secure Boot as the first allowed bank with a proven PCR 7 says.
  void ReportSecureBoot() {
    for (const BankResult& result : results_) {
      if (!IsAllowed(result.alg) || ((result.matched >> kSecureBootRegister) & 1u) == 0) continue;
      const std::optional<bool> state = eventlog::SecureBootState(log_, result.alg);
      if (!state) break;
      AddClaim("secureBootEnabled", *state);
      Checked("Secure Boot state, from PCR 7");
      if (!*state) ReportSecureBootOff(result.alg);
      return;
    }
    NotChecked("Secure Boot state",
               "PCR 7 is not proven, or no single SecureBoot variable in the log is covered by its "
               "digest");
  }

  void ReportSecureBootOff(HashAlg alg) {
    Finding& finding =
        Add(Reason::kSecureBootOff, Severity::kWarning, "Secure Boot was off at this boot.");
    finding.register_index = kSecureBootRegister;
    finding.expected = "SecureBoot = 01 (on)";
    for (const eventlog::Event& event : log_.events()) {
      if (event.register_index != kSecureBootRegister) continue;
      const auto variable = eventlog::DecodeUefiVariable(event);
      if (!variable || variable->name != "SecureBoot") continue;
      finding.event = event.number;
      finding.actual = Printable(eventlog::Describe(log_, event, alg));
      return;
    }
  }

  const tpm2::QuotedPcrs& quoted_;
  const BootOptions& options_;
  const eventlog::Log& log_;
  BootAppraisal& out_;
  std::vector<BankResult> results_;
  std::set<std::pair<Reason, size_t>> reported_;
};

}  // namespace

BootAppraisal AppraiseBoot(const tpm2::QuotedPcrs& quoted, ByteView boot_log,
                           const BootOptions& options) {
  BootAppraisal out;
  out.log = eventlog::Log::Parse(boot_log);
  BootAppraiser(quoted, options, &out).Run();
  return out;
}

}  // namespace bootgate::gatekeeper::appraisal
