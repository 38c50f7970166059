#include "common/eventlog/ipl.h"

#include <optional>

#include "absl/strings/match.h"
#include "common/eventlog/uefi_text.h"

namespace bootgate::eventlog {
namespace {

constexpr absl::string_view kLabels[] = {"grub_cmd", "kernel_cmdline", "module_cmdline"};
constexpr absl::string_view kAfterLabel = ": ";

ByteView WithoutFinalNul(ByteView bytes) {
  return !bytes.empty() && bytes.back() == 0 ? bytes.first(bytes.size() - 1) : bytes;
}

// UTF-16 of a Western text has a zero in every second byte; no single-byte text begins so.
bool LooksLikeUtf16(ByteView data) {
  return data.size() >= 2 && data.size() % 2 == 0 && data[0] != 0 && data[1] == 0;
}

}  // namespace

IplParts SplitIpl(ByteView event_data) {
  const ByteView text = WithoutFinalNul(event_data);
  for (const absl::string_view label : kLabels) {
    const size_t before_text = label.size() + kAfterLabel.size();
    if (absl::StartsWith(AsText(text), label) &&
        absl::StartsWith(AsText(text.subspan(label.size())), kAfterLabel)) {
      return {.label = label, .text = text.subspan(before_text)};
    }
  }
  return {.label = "", .text = text};
}

std::string IplText(const IplParts& parts, ByteView event_data) {
  if (parts.label.empty() && LooksLikeUtf16(event_data)) {
    std::optional<std::string> text = Utf8FromTerminatedUtf16(event_data);
    if (text.has_value()) return *std::move(text);
  }
  return std::string(AsText(parts.text));
}

}  // namespace bootgate::eventlog
