#include "common/eventlog/decode/variable.h"

#include <utility>

#include "common/eventlog/decode/uefi_text.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/uefi_variable.h"

namespace bootgate::eventlog {

std::optional<UefiVariable> DecodeUefiVariable(const Event& event) {
  if (!IsUefiVariable(event.untrusted_type)) return std::nullopt;
  const std::optional<UefiVariableParts> parts = SplitUefiVariable(event.data);
  if (!parts.has_value()) return std::nullopt;
  std::optional<std::string> name = Utf8FromUtf16(parts->name);
  if (!name.has_value()) return std::nullopt;
  return UefiVariable{.guid = GuidText(parts->guid), .name = *std::move(name), .data = parts->data};
}

}  // namespace bootgate::eventlog
