#include "gatekeeper/appraisal/tpm_boot/match.h"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/eventlog/explain/explain.h"
#include "common/eventlog/replay.h"
#include "common/registers/selection.h"
#include "gatekeeper/appraisal/tpm_boot/start_values.h"
#include "gatekeeper/appraisal/user_log.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using crypto::Digest;
using crypto::HashAlg;
using registers::RegisterBank;

// What any boot through UEFI, shim or a kernel's EFI stub leaves behind.
constexpr uint32_t kBootMask = 0x3ff | (1u << 14);  // PCR 0-9, 14

size_t CountEvents(const eventlog::Log& log, uint32_t index) {
  return static_cast<size_t>(std::ranges::count_if(log.events(), [&](const eventlog::Event& e) {
    return e.register_index == index && e.Extends();
  }));
}

// Where so many registers of a bank differ, the log is another boot's, and no single change to it
// explains anything; it bounds the work as well.
constexpr int kMaxExplained = 4;

// `before`: registers of this bank that were reported already.
void ReportMismatch(const Context& context, uint32_t index, const Digest& quoted,
                    const Digest& replayed, uint32_t before) {
  const eventlog::Log& log = context.log;
  const HashAlg alg = quoted.alg();
  const bool start_claimed = index == 0 && (log.startup_locality() != 0 || log.hcrtm());
  const size_t events = CountEvents(log, index);
  std::string text =
      absl::StrCat("The ", events, events == 1 ? " event" : " events",
                   UserRecordsInWords(context.options.user_log, index), " of PCR ", index, " (",
                   crypto::Name(alg), ") do not lead to the quoted value");
  if (start_claimed) absl::StrAppend(&text, " from the start value that the log claims");
  eventlog::Explanation why;
  if (std::popcount(before) < kMaxExplained) {
    why = eventlog::ExplainRegister(log, index, quoted,
                                    {.max_extends = eventlog::kMaxExtendsInPassing});
    if (why.cause != eventlog::Cause::kUnknown) absl::StrAppend(&text, "; ", why.text);
  }
  Finding& finding =
      context.notes.Add(start_claimed ? Reason::kLogReplayPcr0 : Reason::kLogPcrMismatch,
                        Severity::kFail, absl::StrCat(text, "."));
  finding.register_index = index;
  if (!why.events.empty()) finding.event = why.events.front();
  finding.expected = quoted.hex();
  finding.actual = replayed.hex();
}

bool MayMoveAtRunTime(const Context& context, uint32_t index) {
  return Has(context.options.runtime_extended, index);
}

void NoteRunTime(const Context& context, HashAlg alg, uint32_t index) {
  context.notes.NotChecked(absl::StrCat("PCR ", index, " (", crypto::Name(alg), ")"),
                           "software extends it after the boot log ends (runtime_extended)");
}

void ReportUnexplained(const Context& context, uint32_t index, const Digest& value) {
  Finding& finding =
      context.notes.Add(Reason::kPcrUnexplained, Severity::kFail,
                        absl::StrCat("PCR ", index, " (", crypto::Name(value.alg()),
                                     ") was extended, and no event of the boot log explains it."));
  finding.register_index = index;
  finding.expected = Digest(value.alg()).hex();
  finding.actual = value.hex();
}

// Somebody's log is for other banks than the quoted one: whatever this bank holds, the boot that
// the log tells of did not put it there.
void MatchBankWithoutLog(const Context& context, const RegisterBank& bank, BankMatch* match) {
  const uint32_t moved = MovedRegisters(bank) & ~(1u << kImaRegister);
  match->mismatched = moved;
  if (context.log.banks().empty()) {
    if (moved != 0 && !context.notes.HasFailure()) {
      context.notes.Add(Reason::kLogSpecId, Severity::kFail,
                        "The boot log announces no bank that we know.");
    }
    return;
  }
  if ((bank.mask() & kFirmwareMask) == 0 && moved == 0) return;
  std::vector<std::string> names;
  for (const HashAlg alg : context.log.banks()) names.emplace_back(crypto::Name(alg));
  ReportNotFirmwareMeasured(
      context, bank.alg(),
      absl::StrCat("the log has no digests of it, only of ", absl::StrJoin(names, ", ")));
  match->mismatched |= bank.mask() & kFirmwareMask;
}

// All quoted firmware registers at their start, while the log tells of extends.
bool IsUntouched(const RegisterBank& quoted, const RegisterBank& replayed) {
  const uint32_t told = quoted.mask() & replayed.mask() & kFirmwareMask;
  return told != 0 && (MovedRegisters(quoted) & kFirmwareMask) == 0;
}

void MatchRegisters(const Context& context, const RegisterBank& quoted,
                    const RegisterBank& replayed, BankMatch* match) {
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    const auto value = quoted.Get(i);
    if (!value || i == kImaRegister) continue;
    const auto told = replayed.Get(i);
    const bool matches = told ? *told == *value : IsStartValue(i, *value);
    if (!matches && MayMoveAtRunTime(context, i)) {
      NoteRunTime(context, quoted.alg(), i);
      continue;
    }
    if (!matches && told) ReportMismatch(context, i, *value, *told, match->mismatched);
    if (!matches && !told) ReportUnexplained(context, i, *value);
    (matches ? match->matched : match->mismatched) |= 1u << i;
  }
}

void MatchBankWithLog(const Context& context, const RegisterBank& bank, DefectReporter& defects,
                      BankMatch* match) {
  const eventlog::Replay replay = eventlog::ReplayBank(context.log, bank.alg());
  for (const eventlog::Defect& defect : replay.defects) defects.Report(defect);
  if (IsUntouched(bank, replay.bank)) {
    ReportNotFirmwareMeasured(
        context, bank.alg(),
        "its PCR 0-7 were never extended although the log has events for them");
    match->mismatched = bank.mask() & kFirmwareMask;
    return;
  }
  MatchRegisters(context, bank, AfterUserLog(context.options.user_log, replay.bank), match);
  CheckFirmwareMeasured(context, bank, *match);
}

}  // namespace

BankMatch MatchBank(const Context& context, const RegisterBank& bank, DefectReporter& defects) {
  BankMatch match{.alg = bank.alg()};
  if (context.log.HasBank(bank.alg())) {
    MatchBankWithLog(context, bank, defects, &match);
  } else {
    MatchBankWithoutLog(context, bank, &match);
  }
  if (match.matched != 0) {
    context.notes.Checked(absl::StrCat("boot log replay to quoted PCR ",
                                       registers::FormatMask(match.matched), " (",
                                       crypto::Name(bank.alg()), ")"));
  }
  return match;
}

void AppraiseMissingLog(const Context& context) {
  for (const RegisterBank& bank : context.quoted.banks()) {
    const uint32_t moved = MovedRegisters(bank) & kBootMask;
    if (moved == 0) continue;
    context.notes.Add(
        Reason::kLogMissing, Severity::kFail,
        absl::StrCat("There is no boot log although PCR ", registers::FormatMask(moved),
                     " of bank ", crypto::Name(bank.alg()),
                     " were extended. Debian's GRUB leaves no log when Secure Boot is off, and "
                     "some clouds' virtual TPMs give an empty one."));
    context.notes.AddClaim("bootLogReplayed", false);
    break;
  }
  for (const RegisterBank& bank : context.quoted.banks()) {
    const RegisterBank told = AfterUserLog(context.options.user_log, RegisterBank(bank.alg()));
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const auto value = bank.Get(i);
      if (!value || i == kImaRegister || Has(kBootMask, i) || told.Get(i) == value) continue;
      if (IsStartValue(i, *value)) continue;
      if (MayMoveAtRunTime(context, i)) {
        NoteRunTime(context, bank.alg(), i);
      } else {
        ReportUnexplained(context, i, *value);
      }
    }
  }
  context.notes.NotChecked("boot log", "there is none");
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
