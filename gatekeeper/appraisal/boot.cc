#include "gatekeeper/appraisal/boot.h"

#include <algorithm>
#include <string>

#include "common/base/hex.h"
#include "common/eventlog/decode/describe.h"
#include "gatekeeper/appraisal/notes.h"
#include "gatekeeper/appraisal/tpm_boot/banks.h"
#include "gatekeeper/appraisal/tpm_boot/claims.h"
#include "gatekeeper/appraisal/tpm_boot/context.h"
#include "gatekeeper/appraisal/tpm_boot/defects.h"
#include "gatekeeper/appraisal/tpm_boot/digest_rules.h"
#include "gatekeeper/appraisal/tpm_boot/event_rules.h"
#include "gatekeeper/appraisal/tpm_boot/match.h"
#include "gatekeeper/appraisal/tpm_boot/secure_boot_rules.h"
#include "gatekeeper/appraisal/windows_boot.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using tpm_boot::BankMatch;
using tpm_boot::Context;

// Goes through a log and a quote once and gathers what follows from them.
class BootAppraiser {
 public:
  BootAppraiser(const tpm2::QuotedPcrs& quoted, const BootOptions& options, BootAppraisal* out)
      : notes_(out->findings, out->claims, out->coverage),
        context_{quoted, out->log, options, notes_},
        out_(*out) {}

  void Run() {
    tpm_boot::CheckBanksAllowed(context_);
    if (context_.log.format() == eventlog::Format::kEmpty && context_.log.defects().empty()) {
      tpm_boot::AppraiseMissingLog(context_);
      return;
    }
    if (context_.log.register_kind() != eventlog::RegisterKind::kPcr) {
      ReportForeignRegisters();
      return;
    }
    MatchBanks();
    CheckEvents();
    out_.replayed =
        std::ranges::all_of(matches_, [](const BankMatch& m) { return m.mismatched == 0; }) &&
        !matches_.empty() && !notes_.HasFailure();
    notes_.AddClaim("bootLogReplayed", out_.replayed);
    ReadFacts();
  }

 private:
  // Numbers that look like PCRs and are not: such a log says nothing of what a TPM quotes.
  void ReportForeignRegisters() {
    notes_.Add(Reason::kLogSpecId, Severity::kFail,
               "The log is of a confidential machine's measurement registers, not of a TPM's "
               "PCRs.");
    notes_.AddClaim("bootLogReplayed", false);
    notes_.NotChecked("boot log", "its registers are no PCRs");
  }

  void MatchBanks() {
    tpm_boot::DefectReporter defects(context_);
    for (const eventlog::Defect& defect : context_.log.defects()) defects.Report(defect);
    for (const registers::RegisterBank& bank : context_.quoted.banks()) {
      matches_.push_back(tpm_boot::MatchBank(context_, bank, defects));
    }
    tpm_boot::CompareBanks(context_, matches_);
  }

  // A bank that the firmware did not measure has no order that anything could be said of.
  void CheckEvents() {
    tpm_boot::NoteQuirks(context_);
    if (notes_.Found(Reason::kBankNotFirmwareMeasured)) return;
    const bool one_story = !notes_.Found(Reason::kLogBankDivergence);  // else which bank lies?
    uint32_t proven = 0;
    for (const BankMatch& match : matches_) {
      if (!IsUsable(match)) continue;
      proven |= match.matched;
      if (one_story) tpm_boot::CheckEventDigests(context_, match.alg, match.matched);
    }
    if (proven == 0) return;
    tpm_boot::CheckEventOrder(context_, proven);
    tpm_boot::CheckVariables(context_, proven);
    notes_.Checked("types, order and separators of the proven PCRs' events");
  }

  bool IsUsable(const BankMatch& match) const {
    return tpm_boot::IsAllowed(context_, match.alg) && context_.log.HasBank(match.alg);
  }

  // What the first allowed bank with a proven PCR 7 says; else the first allowed one.
  void ReadFacts() {
    const BankMatch* chosen = nullptr;
    for (const BankMatch& match : matches_) {
      if (!IsUsable(match)) continue;
      if (chosen == nullptr) chosen = &match;
      if (!tpm_boot::Has(match.matched, tpm_boot::kSecureBootRegister)) continue;
      chosen = &match;
      break;
    }
    if (chosen != nullptr) {
      tpm_boot::NoteUnexplainedImages(context_, chosen->alg, chosen->matched);
      out_.facts = tpm_boot::ReadBootFacts(context_.log, chosen->alg, chosen->matched);
      tpm_boot::AddFactClaims(out_.facts, chosen->matched, notes_);
      ReportWindowsBoot(ReadWindowsFacts(context_.log, chosen->alg, chosen->matched), notes_);
    }
    ReportSecureBoot(chosen);
  }

  void ReportSecureBoot(const BankMatch* bank) {
    const auto& state = out_.facts.secure_boot;
    if (!state || !state->verified) {
      notes_.NotChecked("Secure Boot state",
                        "PCR 7 is not proven, or no single SecureBoot variable in the log is "
                        "covered by its digest");
      return;
    }
    notes_.Checked("Secure Boot state, from PCR 7");
    if (state->value) return;
    Finding& finding =
        notes_.Add(Reason::kSecureBootOff, Severity::kWarning, "Secure Boot was off at this boot.");
    finding.register_index = state->register_index;
    finding.event = state->event;
    finding.expected = "SecureBoot = 01 (on)";
    finding.actual =
        Printable(eventlog::Describe(context_.log, context_.log.events()[state->event], bank->alg));
  }

  Notes notes_;
  const Context context_;
  BootAppraisal& out_;
  std::vector<BankMatch> matches_;
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
