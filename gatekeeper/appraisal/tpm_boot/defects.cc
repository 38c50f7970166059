#include "gatekeeper/appraisal/tpm_boot/defects.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

bool IsFatal(Reason reason) {
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

}  // namespace

// A record that merely lacks digests of banks that nobody quoted: some firmware and Windows boot
// loaders write such. Each digest it has is of one bank, and the quoted banks are among them.
bool DefectReporter::LacksOnlyUnquotedBanks(const eventlog::Defect& defect) const {
  const eventlog::Log& log = context_.log;
  if (defect.reason != Reason::kLogDigests || !defect.event ||
      *defect.event >= log.events().size()) {
    return false;
  }
  const eventlog::Event& event = log.events()[*defect.event];
  const auto has = [&](crypto::HashAlg alg) { return log.DigestOf(event, alg).has_value(); };
  return std::ranges::count_if(log.banks(), has) == event.digest_count &&
         std::ranges::all_of(context_.quoted.banks(),
                             [&](const registers::RegisterBank& bank) { return has(bank.alg()); });
}

void DefectReporter::Report(const eventlog::Defect& defect) {
  if (!reported_.insert({defect.reason, defect.offset}).second) return;
  const bool fatal = IsFatal(defect.reason) && !LacksOnlyUnquotedBanks(defect);
  Finding& finding = context_.notes.Add(defect.reason, fatal ? Severity::kFail : Severity::kWarning,
                                        absl::StrCat("Boot log: ", defect.text, "."));
  finding.register_index = defect.register_index;
  finding.event = defect.event;
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
