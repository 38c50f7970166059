#include "common/eventlog/decode/load_option.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "common/bytes/reader.h"
#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kMaxOrderBytes = 4096;
constexpr size_t kNumberDigits = 4;

// The bytes of a UTF-16 text up to its NUL, which is taken as well.
bool TryText(bytes::Reader& in, ByteView* text) {
  const ByteView rest = in.rest();
  for (size_t i = 0; i + 1 < rest.size(); i += 2) {
    if (rest[i] != 0 || rest[i + 1] != 0) continue;
    ByteView with_nul;
    *text = rest.first(i);
    return in.TryTake(i + 2, &with_nul);
  }
  return false;
}

}  // namespace

std::optional<LoadOption> DecodeLoadOption(ByteView variable_data) {
  bytes::Reader in(variable_data);
  LoadOption option;
  uint16_t path_size = 0;
  ByteView description;
  ByteView path;
  if (!in.TryU32Le(&option.attributes) || !in.TryU16Le(&path_size) || !TryText(in, &description) ||
      !in.TryTake(path_size, &path)) {
    return std::nullopt;
  }
  std::optional<std::string> text = Utf8FromUtf16(description);
  if (!text.has_value()) return std::nullopt;
  option.description = *std::move(text);
  option.path = DecodeDevicePath(path);
  option.optional_data = in.rest();
  return option;
}

std::optional<std::vector<uint16_t>> DecodeBootOrder(ByteView variable_data) {
  if (variable_data.size() % 2 != 0 || variable_data.size() > kMaxOrderBytes) return std::nullopt;
  bytes::Reader in(variable_data);
  std::vector<uint16_t> order;
  order.reserve(variable_data.size() / 2);
  uint16_t number = 0;
  while (in.TryU16Le(&number)) order.push_back(number);
  return order;
}

bool IsLoadOptionName(absl::string_view variable_name) {
  for (const absl::string_view prefix : {"Boot", "Driver", "SysPrep", "PlatformRecovery"}) {
    absl::string_view digits = variable_name;
    if (absl::ConsumePrefix(&digits, prefix) && digits.size() == kNumberDigits &&
        std::ranges::all_of(
            digits, [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); })) {
      return true;
    }
  }
  return false;
}

}  // namespace bootgate::eventlog
