#include "common/eventlog/decode/separator.h"

#include "common/bytes/reader.h"

namespace bootgate::eventlog {

SeparatorKind DecodeSeparator(ByteView event_data) {
  if (AsText(event_data) == "WBCL") return SeparatorKind::kWindows;
  bytes::Reader in(event_data);
  uint32_t value = 0;
  if (!in.TryU32Le(&value) || !in.empty()) return SeparatorKind::kOther;
  switch (value) {
    case 0:
      return SeparatorKind::kZeros;
    case 0xffffffff:
      return SeparatorKind::kOnes;
    case 1:
      return SeparatorKind::kError;
    default:
      return SeparatorKind::kOther;
  }
}

absl::string_view Name(SeparatorKind kind) {
  switch (kind) {
    case SeparatorKind::kZeros:
      return "zeros";
    case SeparatorKind::kOnes:
      return "ones";
    case SeparatorKind::kError:
      return "error";
    case SeparatorKind::kWindows:
      return "windows";
    case SeparatorKind::kOther:
      return "other";
  }
  __builtin_unreachable();
}

}  // namespace bootgate::eventlog
