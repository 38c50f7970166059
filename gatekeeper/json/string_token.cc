#include "gatekeeper/json/string_token.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include "gatekeeper/json/utf8.h"

namespace bootgate::gatekeeper::json {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;
static_assert(std::endian::native == std::endian::little);

// The high bit of each byte that is zero; bits above the lowest set one may be wrong.
uint64_t ZeroBytes(uint64_t word) { return (word - kOnes) & ~word & kHighs; }

// The high bit of each byte that a string cannot hold as it is, or that is not ASCII.
uint64_t OddBytes(uint64_t word) {
  const uint64_t quotes = ZeroBytes(word ^ (kOnes * '"'));
  const uint64_t backslashes = ZeroBytes(word ^ (kOnes * '\\'));
  const uint64_t controls = (word - kOnes * 0x20) & ~word & kHighs;
  return quotes | backslashes | controls | (word & kHighs);
}

bool IsPlain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

// The first byte from `at` on that is not plain, eight at a time.
size_t SkipPlain(absl::string_view text, size_t at) {
  while (text.size() - at >= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof(word));
    const uint64_t odd = OddBytes(word);
    if (odd != 0) return at + static_cast<size_t>(std::countr_zero(odd)) / 8;
    at += sizeof(word);
  }
  while (at < text.size() && IsPlain(text[at])) ++at;
  return at;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<char32_t> HexUnit(absl::string_view inside, size_t at) {
  if (inside.size() < at + 4) return std::nullopt;
  char32_t unit = 0;
  for (size_t k = 0; k < 4; ++k) {
    const int digit = HexDigit(inside[at + k]);
    if (digit < 0) return std::nullopt;
    unit = unit << 4 | static_cast<char32_t>(digit);
  }
  return unit;
}

bool IsHighSurrogate(char32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowSurrogate(char32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

// `at` is behind the `u`; moves behind the escape, the second half of a pair too.
std::optional<char32_t> UnicodeEscape(absl::string_view inside, size_t& at) {
  const auto unit = HexUnit(inside, at);
  if (!unit || IsLowSurrogate(*unit)) return std::nullopt;
  at += 4;
  if (!IsHighSurrogate(*unit)) return unit;
  if (inside.substr(at, 2) != "\\u") return std::nullopt;
  const auto low = HexUnit(inside, at + 2);
  if (!low || !IsLowSurrogate(*low)) return std::nullopt;
  at += 6;
  return 0x10000 + ((*unit - 0xD800) << 10 | (*low - 0xDC00));
}

// What a backslash and `c` stand for; 0 for an unknown escape.
char SimpleEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

bool AppendEscape(absl::string_view inside, size_t& at, std::string* out) {
  if (at >= inside.size()) return false;
  const char c = inside[at++];
  if (c == 'u') {
    const auto code_point = UnicodeEscape(inside, at);
    if (!code_point) return false;
    AppendCodePoint(*code_point, out);
    return true;
  }
  const char meant = SimpleEscape(c);
  if (meant == 0) return false;
  out->push_back(meant);
  return true;
}

}  // namespace

StringToken ScanString(absl::string_view text, size_t at) {
  StringToken token;
  while (true) {
    at = SkipPlain(text, at);
    token.end = at;
    if (at >= text.size()) return token;
    if (text[at] == '"') break;
    if (text[at] == '\\') {
      token.escaped = true;
      at += text.size() - at >= 2 && text[at + 1] >= 0x20 && text[at + 1] < 0x7F ? 2 : 1;
      continue;
    }
    const size_t bytes = CodePointBytes(text, at);
    if (bytes == 0 || (bytes == 1 && text[at] >= 0 && text[at] < 0x20)) return token;
    at += bytes;
  }
  token.end = at + 1;
  token.ok = true;
  return token;
}

std::optional<absl::string_view> Unescape(absl::string_view inside, Arena& arena) {
  std::string out;
  out.reserve(inside.size());
  for (size_t at = 0; at < inside.size();) {
    const size_t backslash = std::min(inside.find('\\', at), inside.size());
    out.append(inside.data() + at, backslash - at);
    at = backslash;
    if (at < inside.size() && !AppendEscape(inside, ++at, &out)) return std::nullopt;
  }
  return arena.Keep(out);
}

}  // namespace bootgate::gatekeeper::json
