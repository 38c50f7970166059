#include "gatekeeper/appraisal/json/values.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "gatekeeper/json/utf8.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

// Both digits of each byte: entries by the hundred thousand have two digests each.
constexpr auto kHexPairs = [] {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (size_t byte = 0; byte < pairs.size(); ++byte)
    pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 15]};
  return pairs;
}();
constexpr char kBase64Url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr absl::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Room for a text that is written at once; empty when there is none.
absl::Span<char> Room(size_t size, model::Arena& arena) {
  auto* const begin = size == 0 ? nullptr : static_cast<char*>(arena.Allocate(size, 1));
  return begin == nullptr ? absl::Span<char>() : absl::Span<char>(begin, size);
}

model::Value StringOf(absl::Span<const char> text) {
  return model::Value::String({text.data(), text.size()});
}

void WriteHex(ByteView bytes, absl::Span<char> out) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kHexPairs[bytes[i]][0];
    out[2 * i + 1] = kHexPairs[bytes[i]][1];
  }
}

std::string Cleaned(absl::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = model::CodePointBytes(text, at);
    absl::StrAppend(&out, bytes == 0 ? kReplacement : text.substr(at, bytes));
    at += bytes == 0 ? 1 : bytes;
  }
  return out;
}

}  // namespace

model::Value HexValue(ByteView bytes, model::Arena& arena) {
  const absl::Span<char> out = Room(2 * bytes.size(), arena);
  if (!out.empty()) WriteHex(bytes, out);
  return StringOf(out);
}

model::Value Base64UrlValue(ByteView bytes, model::Arena& arena) {
  const absl::Span<char> out = Room((bytes.size() * 4 + 2) / 3, arena);
  if (out.empty()) return StringOf(out);
  size_t at = 0, i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t group = uint32_t{bytes[i]} << 16 | uint32_t{bytes[i + 1]} << 8 | bytes[i + 2];
    for (unsigned n = 0; n < 4; ++n) out[at++] = kBase64Url[(group >> (18 - 6 * n)) & 63];
  }
  const size_t left = bytes.size() - i;
  if (left != 0) {
    const uint32_t group = uint32_t{bytes[i]} << 16 | (left == 2 ? uint32_t{bytes[i + 1]} << 8 : 0);
    for (unsigned n = 0; n <= left; ++n) out[at++] = kBase64Url[(group >> (18 - 6 * n)) & 63];
  }
  return StringOf(out);
}

model::Value NumberValue(uint64_t number, model::Arena& arena) {
  if (number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return model::Value::Integer(static_cast<int64_t>(number));
  return model::Value::BigInteger(arena.Keep(absl::StrCat(number)));
}

model::Value TextValue(absl::string_view text, model::Arena& arena) {
  if (model::IsUtf8(text)) return model::Value::String(arena.Keep(text));
  return model::Value::String(arena.Keep(Cleaned(text)));
}

model::Value BorrowedText(absl::string_view text, model::Arena& arena) {
  return model::IsUtf8(text) ? model::Value::String(text) : TextValue(text, arena);
}

model::Value NamedDigest(absl::string_view name, ByteView digest, model::Arena& arena) {
  if (!model::IsUtf8(name)) return NamedDigest(Cleaned(name), digest, arena);
  const absl::Span<char> out = Room(name.size() + 1 + 2 * digest.size(), arena);
  if (out.empty()) return StringOf(out);
  std::copy(name.begin(), name.end(), out.begin());
  out[name.size()] = ':';
  WriteHex(digest, out.subspan(name.size() + 1));
  return StringOf(out);
}

}  // namespace bootgate::gatekeeper::appraisal::json
