#include "gatekeeper/appraisal/json/values.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "gatekeeper/json/utf8.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64Url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr absl::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

model::Value StringOf(absl::Span<const char> text) {
  return model::Value::String({text.data(), text.size()});
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
  const absl::Span<char> out = arena.NewArray<char>(2 * bytes.size());
  if (out.empty()) return model::Value::String("");
  size_t at = 0;
  for (const uint8_t byte : bytes) {
    out[at++] = kHexDigits[byte >> 4];
    out[at++] = kHexDigits[byte & 15];
  }
  return StringOf(out);
}

model::Value Base64UrlValue(ByteView bytes, model::Arena& arena) {
  const absl::Span<char> out = arena.NewArray<char>((bytes.size() * 4 + 2) / 3);
  if (out.empty()) return model::Value::String("");
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

}  // namespace bootgate::gatekeeper::appraisal::json
