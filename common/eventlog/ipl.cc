#include "common/eventlog/ipl.h"

#include "absl/strings/match.h"

namespace bootgate::eventlog {
namespace {

constexpr absl::string_view kLabels[] = {"grub_cmd", "kernel_cmdline", "module_cmdline"};
constexpr absl::string_view kAfterLabel = ": ";

ByteView WithoutFinalNul(ByteView bytes) {
  return !bytes.empty() && bytes.back() == 0 ? bytes.first(bytes.size() - 1) : bytes;
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

}  // namespace bootgate::eventlog
