#include "gatekeeper/policy/text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace bootgate::gatekeeper::policy {
namespace {

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; }

// Bounds of the second byte by the first, Unicode standard table 3-7: no overlong forms, no
// surrogates, nothing above U+10FFFF.
bool SecondByteFits(uint8_t lead, uint8_t second) {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0 && second <= 0xbf;
    case 0xed:
      return second >= 0x80 && second <= 0x9f;
    case 0xf0:
      return second >= 0x90 && second <= 0xbf;
    case 0xf4:
      return second >= 0x80 && second <= 0x8f;
    default:
      return second >= 0x80 && second <= 0xbf;
  }
}

size_t AnnouncedLength(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

}  // namespace

char Cursor::Peek(size_t ahead) const {
  return ahead < text_.size() - offset_ ? text_[offset_ + ahead] : '\0';
}

void Cursor::Advance(size_t bytes) {
  const size_t end = offset_ + std::min(bytes, text_.size() - offset_);
  for (; offset_ < end; ++offset_) {
    const char c = text_[offset_];
    if (c == '\n') {
      ++place_.line;
      place_.column = 1;
    } else if (!IsContinuation(c)) {
      ++place_.column;
    }
  }
}

size_t SequenceLength(absl::string_view text) {
  if (text.empty()) return 0;
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t length = AnnouncedLength(lead);
  if (length <= 1 || text.size() < length) return length == 1 ? 1 : 0;
  if (!SecondByteFits(lead, static_cast<uint8_t>(text[1]))) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  return length;
}

std::optional<Place> FindInvalidUtf8(absl::string_view text) {
  Cursor cursor(text);
  while (!cursor.at_end()) {
    const size_t length = SequenceLength(cursor.rest());
    if (length == 0) return cursor.place();
    cursor.Advance(length);
  }
  return std::nullopt;
}

absl::string_view WithoutByteOrderMark(absl::string_view text) {
  return absl::StripPrefix(text, "\xef\xbb\xbf");
}

}  // namespace bootgate::gatekeeper::policy
