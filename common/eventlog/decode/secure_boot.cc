#include "common/eventlog/decode/secure_boot.h"

#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/uefi_variable.h"

namespace bootgate::eventlog {
namespace {

constexpr uint32_t kSecureBootRegister = 7;
constexpr absl::string_view kGlobalVariable = "8BE4DF61-93CA-11D2-AA0D-00E098032B8C";

// The name alone is anybody's: the variable is the firmware's only under its GUID.
bool IsSecureBootVariable(const Event& event) {
  const std::optional<UefiVariable> variable = DecodeUefiVariable(event);
  return variable.has_value() && variable->guid == kGlobalVariable &&
         variable->name == "SecureBoot";
}

// The event that tells the state: in register 7, alone of its name, before the separator.
const Event* TellingEvent(const Log& log) {
  const Event* found = nullptr;
  bool separated = false;
  for (const Event& event : log.events()) {
    if (event.register_index != kSecureBootRegister) continue;
    if (event.untrusted_type == kEvSeparator) separated = true;
    if (!IsSecureBootVariable(event)) continue;
    if (found != nullptr || separated) return nullptr;
    found = &event;
  }
  return found;
}

}  // namespace

std::optional<bool> SecureBootState(const Log& log, crypto::HashAlg alg) {
  const Event* const event = TellingEvent(log);
  if (event == nullptr || event->untrusted_type != kEvEfiVariableDriverConfig ||
      CoverageOf(log, *event, alg) != Coverage::kCovered) {
    return std::nullopt;
  }
  const std::optional<UefiVariableParts> parts = SplitUefiVariable(event->data);
  if (!parts.has_value() || !parts->exact || parts->data.size() != 1 || parts->data[0] > 1) {
    return std::nullopt;
  }
  return parts->data[0] == 1;
}

}  // namespace bootgate::eventlog
