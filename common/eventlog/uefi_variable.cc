#include "common/eventlog/uefi_variable.h"

#include "common/bytes/reader.h"
#include "common/eventlog/describe.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/uefi_text.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kGuidBytes = 16;

// A 64-bit size of which only small values can be true.
bool TrySize(bytes::Reader& in, size_t* size) {
  uint32_t low = 0;
  uint32_t high = 0;
  if (!in.TryU32Le(&low) || !in.TryU32Le(&high) || high != 0) return false;
  *size = low;
  return true;
}

}  // namespace

std::optional<UefiVariableParts> SplitUefiVariable(ByteView event_data) {
  bytes::Reader in(event_data);
  UefiVariableParts parts;
  size_t name_units = 0;
  size_t data_size = 0;
  if (!in.TryTake(kGuidBytes, &parts.guid) || !TrySize(in, &name_units) ||
      !TrySize(in, &data_size) || name_units > in.remaining() / 2 ||
      !in.TryTake(name_units * 2, &parts.name) || !in.TryTake(data_size, &parts.data)) {
    return std::nullopt;
  }
  parts.exact = in.empty();
  return parts;
}

std::optional<UefiVariable> DecodeUefiVariable(const Event& event) {
  if (!IsUefiVariable(event.untrusted_type)) return std::nullopt;
  const std::optional<UefiVariableParts> parts = SplitUefiVariable(event.data);
  if (!parts.has_value()) return std::nullopt;
  std::optional<std::string> name = Utf8FromUtf16(parts->name);
  if (!name.has_value()) return std::nullopt;
  return UefiVariable{.guid = GuidText(parts->guid), .name = *std::move(name), .data = parts->data};
}

}  // namespace bootgate::eventlog
