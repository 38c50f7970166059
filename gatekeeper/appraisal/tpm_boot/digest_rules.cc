#include "gatekeeper/appraisal/tpm_boot/digest_rules.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/signature_list.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/quirks.h"
#include "gatekeeper/appraisal/tpm_boot/event_notes.h"
#include "gatekeeper/appraisal/tpm_boot/secure_boot_rules.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using eventlog::Event;

// The hashes in db let exactly these images run: such a digest explains itself.
std::set<std::string> ListedHashes(const Context& context, crypto::HashAlg bank, uint32_t proven) {
  std::set<std::string> hashes;
  if (!Has(proven, kSecureBootRegister)) return hashes;
  for (const Event& event : context.log.events()) {
    if (!IsSecureBootConfiguration(event) ||
        eventlog::CoverageOf(context.log, event, bank) != eventlog::Coverage::kCovered) {
      continue;
    }
    const auto variable = eventlog::DecodeUefiVariable(event);
    if (!variable || SecureBootVariableName(*variable) != "db") continue;
    for (const eventlog::SignatureEntry& entry : eventlog::SignatureLists::Read(variable->data)) {
      hashes.insert(ToHex(entry.value));
    }
  }
  return hashes;
}

}  // namespace

void CheckEventDigests(const Context& context, crypto::HashAlg bank, uint32_t proven) {
  EventNotes notes(context.notes);
  for (const Event& event : context.log.events()) {
    if (!Has(proven, event.register_index) || event.register_index == kImaRegister ||
        eventlog::CoverageOf(context.log, event, bank) != eventlog::Coverage::kMismatch) {
      continue;
    }
    notes.Say(Reason::kLogEventDigest, Severity::kFail, event,
              absl::StrCat("The data of event ", event.number, " (",
                           eventlog::TypeName(event.untrusted_type), ", PCR ", event.register_index,
                           ") is not what bank ", crypto::Name(bank), " measured."));
  }
}

void NoteUnexplainedImages(const Context& context, crypto::HashAlg bank, uint32_t proven) {
  const std::set<std::string> listed = ListedHashes(context, bank, proven);
  size_t unexplained = 0;
  const Event* first = nullptr;
  for (const Event& event : context.log.events()) {
    if (!Has(proven, event.register_index) || !eventlog::IsImageLoad(event.untrusted_type))
      continue;
    const auto digest = context.log.DigestOf(event, bank);
    if (!digest || listed.contains(ToHex(*digest))) continue;
    if (first == nullptr) first = &event;
    ++unexplained;
  }
  if (first == nullptr) return;
  Finding& finding = context.notes.Add(
      Reason::kLogAuthenticode, Severity::kInfo,
      absl::StrCat("The digests of ", unexplained, unexplained == 1 ? " image" : " images",
                   " are of files that the log does not hold: only reference values can tell "
                   "which files these are."));
  finding.register_index = first->register_index;
  finding.event = first->number;
}

void NoteQuirks(const Context& context) {
  for (const eventlog::UsedQuirk& used : eventlog::UsedQuirks(context.log)) {
    Finding& finding = context.notes.Add(
        Reason::kLogQuirk, Severity::kInfo,
        absl::StrCat(used.quirk->departs, " (", used.events,
                     used.events == 1 ? " event" : " events", ", quirk ", used.quirk->id, ")"));
    finding.event = used.first_event;
    context.notes.AddClaim("bootLogQuirks", std::string(used.quirk->id));
  }
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
