#include "gatekeeper/appraisal/tpm_boot/facts.h"

#include "common/base/hex.h"
#include "common/eventlog/decode/action.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/tpm_boot/fact_reader.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

constexpr uint32_t kFirmwareRegisters = 8;

// What every boot says and nobody asks for.
bool IsRoutine(const eventlog::Event& event) {
  const auto action = eventlog::FindAction(event.data);
  if (!action) return false;
  switch (*action) {
    case eventlog::Action::kCallingApplication:
    case eventlog::Action::kReturningFromApplication:
    case eventlog::Action::kExitBootServicesInvocation:
    case eventlog::Action::kExitBootServicesSucceeded:
      return true;
    default:
      return false;
  }
}

void ReadActions(const FactReader& reader, BootFacts* out) {
  for (const eventlog::Event& event : reader.log().events()) {
    const bool action = event.untrusted_type == eventlog::kEvEfiAction ||
                        event.untrusted_type == eventlog::kEvAction;
    if (!action || event.register_index >= kFirmwareRegisters || IsRoutine(event)) continue;
    absl::string_view text = AsText(event.data);
    if (!text.empty() && text.back() == '\0') text.remove_suffix(1);
    out->actions.push_back(reader.FromData(event, Printable(text)));
  }
}

}  // namespace

BootFacts ReadBootFacts(const eventlog::Log& log, crypto::HashAlg bank, uint32_t proven_registers) {
  BootFacts out;
  const FactReader reader(log, bank, proven_registers);
  ReadSecureBootFacts(reader, &out);
  ReadChainFacts(reader, &out);
  ReadActions(reader, &out);
  return out;
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
