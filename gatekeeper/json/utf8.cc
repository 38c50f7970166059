#include "gatekeeper/json/utf8.h"

#include <algorithm>

namespace bootgate::gatekeeper::json {
namespace {

uint8_t Byte(absl::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }

bool IsContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

bool Continues(absl::string_view text, size_t at, size_t count) {
  if (text.size() - at <= count) return false;
  for (size_t k = 1; k <= count; ++k) {
    if (!IsContinuation(Byte(text, at + k))) return false;
  }
  return true;
}

// RFC 3629, section 4: the leads whose second byte may not be any continuation.
bool SecondByteFits(uint8_t lead, uint8_t second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

}  // namespace

size_t CodePointBytes(absl::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  const uint8_t lead = Byte(text, at);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  if (!Continues(text, at, more) || !SecondByteFits(lead, Byte(text, at + 1))) return 0;
  return more + 1;
}

char32_t ReadCodePoint(absl::string_view text, size_t& at) {
  const uint8_t lead = Byte(text, at);
  const size_t size = CodePointBytes(text, at);
  if (size <= 1) {
    ++at;
    return size == 1 ? lead : 0xDC00u + lead;
  }
  char32_t code_point = lead & (0x7Fu >> size);
  for (size_t k = 1; k < size; ++k) code_point = code_point << 6 | (Byte(text, at + k) & 0x3Fu);
  at += size;
  return code_point;
}

bool IsUtf8(absl::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t size = CodePointBytes(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

size_t CountCodePoints(absl::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return !IsContinuation(static_cast<uint8_t>(c)); }));
}

void AppendCodePoint(char32_t code_point, std::string* out) {
  const auto put = [out](char32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) return put(code_point);
  if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
  }
  put(0x80 | (code_point & 0x3F));
}

}  // namespace bootgate::gatekeeper::json
