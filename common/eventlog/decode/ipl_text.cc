#include "common/eventlog/decode/ipl_text.h"

#include <optional>
#include <utility>

#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::eventlog {
namespace {

// UTF-16 of a Western text has a zero in every second byte; no single-byte text begins so.
bool LooksLikeUtf16(ByteView data) {
  return data.size() >= 2 && data.size() % 2 == 0 && data[0] != 0 && data[1] == 0;
}

// Old systemd-boots end their text with one byte too many.
ByteView Even(ByteView data) {
  const bool odd = data.size() % 2 != 0 && data.back() == 0;
  return odd ? data.first(data.size() - 1) : data;
}

}  // namespace

std::string IplText(const IplParts& parts, ByteView event_data) {
  if (parts.label.empty() && LooksLikeUtf16(Even(event_data))) {
    std::optional<std::string> text = Utf8FromTerminatedUtf16(Even(event_data));
    if (text.has_value()) return *std::move(text);
  }
  return std::string(AsText(parts.text));
}

}  // namespace bootgate::eventlog
