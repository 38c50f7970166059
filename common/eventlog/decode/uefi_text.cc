#include "common/eventlog/decode/uefi_text.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/bytes/reader.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kGuidBytes = 16;

void AppendUtf8(std::string& text, uint32_t code) {
  const auto tail = [&](unsigned shift) {
    text.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f)));
  };
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    text.push_back(static_cast<char>(0xc0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    text.push_back(static_cast<char>(0xe0 | (code >> 12)));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xf0 | (code >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool IsHighSurrogate(uint16_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool IsLowSurrogate(uint16_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

}  // namespace

std::optional<std::string> Utf8FromUtf16(ByteView bytes) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  bytes::Reader in(bytes);
  std::string text;
  text.reserve(bytes.size() / 2);
  uint16_t unit = 0;
  while (in.TryU16Le(&unit)) {
    uint32_t code = unit;
    if (IsLowSurrogate(unit)) return std::nullopt;
    if (IsHighSurrogate(unit)) {
      uint16_t low = 0;
      if (!in.TryU16Le(&low) || !IsLowSurrogate(low)) return std::nullopt;
      code = 0x10000u + ((uint32_t{unit} - 0xd800u) << 10) + (uint32_t{low} - 0xdc00u);
    }
    AppendUtf8(text, code);
  }
  return text;
}

std::optional<std::string> Utf8FromTerminatedUtf16(ByteView bytes) {
  std::optional<std::string> text = Utf8FromUtf16(bytes);
  if (text.has_value() && !text->empty() && text->back() == '\0') text->pop_back();
  return text;
}

std::string GuidText(ByteView guid) {
  if (guid.size() != kGuidBytes) return "";
  // The first three fields are little-endian numbers, the rest are bytes in order.
  const std::array<uint8_t, kGuidBytes> ordered = {
      guid[3], guid[2], guid[1],  guid[0],  guid[5],  guid[4],  guid[7],  guid[6],
      guid[8], guid[9], guid[10], guid[11], guid[12], guid[13], guid[14], guid[15]};
  const std::string hex = absl::AsciiStrToUpper(ToHex(ordered));
  const absl::string_view digits = hex;
  return absl::StrCat(digits.substr(0, 8), "-", digits.substr(8, 4), "-", digits.substr(12, 4), "-",
                      digits.substr(16, 4), "-", digits.substr(20));
}

}  // namespace bootgate::eventlog
