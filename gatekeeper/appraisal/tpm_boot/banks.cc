#include "gatekeeper/appraisal/tpm_boot/banks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/tpm_boot/event_notes.h"
#include "gatekeeper/appraisal/tpm_boot/start_values.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

bool HasSeparator(const eventlog::Log& log, crypto::HashAlg alg) {
  return std::ranges::any_of(log.events(), [&](const eventlog::Event& e) {
    return e.untrusted_type == eventlog::kEvSeparator && Has(kFirmwareMask, e.register_index) &&
           eventlog::CoverageOf(log, e, alg) == eventlog::Coverage::kCovered;
  });
}

void CompareRegisters(const Context& context, const BankMatch& a, const BankMatch& b) {
  if (!context.log.HasBank(a.alg) || !context.log.HasBank(b.alg)) return;  // said already
  const uint32_t differ = (a.matched & b.mismatched) | (a.mismatched & b.matched);
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    if (!Has(differ, i)) continue;
    const bool first = Has(a.matched, i);
    Finding& finding =
        context.notes.Add(Reason::kLogBankDivergence, Severity::kFail,
                          absl::StrCat("PCR ", i, " follows from the log in bank ",
                                       crypto::Name(first ? a.alg : b.alg), " but not in bank ",
                                       crypto::Name(first ? b.alg : a.alg), "."));
    finding.register_index = i;
  }
}

void CompareEvent(const Context& context, const std::vector<BankMatch>& matches,
                  const eventlog::Event& event, EventNotes& notes) {
  const BankMatch* covered = nullptr;
  const BankMatch* uncovered = nullptr;
  for (const BankMatch& match : matches) {
    if (!context.log.HasBank(match.alg)) continue;
    const bool holds =
        eventlog::CoverageOf(context.log, event, match.alg) == eventlog::Coverage::kCovered;
    (holds ? covered : uncovered) = &match;
  }
  if (covered == nullptr || uncovered == nullptr) return;
  notes.Say(
      Reason::kLogBankDivergence, Severity::kFail, event,
      absl::StrCat("The data of event ", event.number, " is what bank ", crypto::Name(covered->alg),
                   " measured but not what bank ", crypto::Name(uncovered->alg), " measured."));
}

}  // namespace

bool IsAllowed(const Context& context, crypto::HashAlg alg) {
  const auto& allowed = context.options.allowed_banks;
  return std::find(allowed.begin(), allowed.end(), alg) != allowed.end();
}

void CheckBanksAllowed(const Context& context) {
  const auto& banks = context.quoted.banks();
  const bool any_allowed = std::ranges::any_of(
      banks, [&](const registers::RegisterBank& bank) { return IsAllowed(context, bank.alg()); });
  for (const registers::RegisterBank& bank : banks) {
    if (IsAllowed(context, bank.alg())) continue;
    if (any_allowed) {
      context.notes.NotChecked(
          absl::StrCat("reference values and facts in bank ", crypto::Name(bank.alg())),
          "no verdict may rest on this bank; its registers were only replayed");
      continue;
    }
    context.notes.Add(Reason::kBankNotAllowed, Severity::kFail,
                      absl::StrCat("The quote covers only bank ", crypto::Name(bank.alg()),
                                   ", on which no verdict may rest."));
  }
}

void ReportNotFirmwareMeasured(const Context& context, crypto::HashAlg alg, absl::string_view why) {
  context.notes.Add(
      Reason::kBankNotFirmwareMeasured, Severity::kFail,
      absl::StrCat("Bank ", crypto::Name(alg), " does not come from the firmware: ", why, "."));
}

void CheckFirmwareMeasured(const Context& context, const registers::RegisterBank& bank,
                           const BankMatch& match) {
  const uint32_t asked = bank.mask() & kFirmwareMask;
  if (asked == 0 || (match.mismatched & kFirmwareMask) != 0) return;
  if (asked != kFirmwareMask) {
    context.notes.NotChecked(
        absl::StrCat("whether the firmware measured bank ", crypto::Name(bank.alg())),
        "not all of PCR 0-7 were quoted");
    return;
  }
  const auto code = bank.Get(0);
  if (code && IsStartValue(0, *code)) {
    ReportNotFirmwareMeasured(context, bank.alg(), "PCR 0 was never extended");
  } else if (!HasSeparator(context.log, bank.alg())) {
    ReportNotFirmwareMeasured(context, bank.alg(), "no PCR 0-7 has a separator in it");
  }
}

void CompareBanks(const Context& context, const std::vector<BankMatch>& matches) {
  if (matches.size() < 2) return;
  for (size_t i = 1; i < matches.size(); ++i) CompareRegisters(context, matches[0], matches[i]);
  EventNotes notes(context.notes);
  for (const eventlog::Event& event : context.log.events()) {
    if (!event.Extends() || event.register_index == kImaRegister) continue;
    CompareEvent(context, matches, event, notes);
  }
  context.notes.Checked("agreement of the quoted banks with one another");
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
