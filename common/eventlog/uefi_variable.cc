#include "common/eventlog/uefi_variable.h"

#include "common/bytes/reader.h"

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
  parts.surplus = in.remaining();
  return parts;
}

}  // namespace bootgate::eventlog
