#include "gatekeeper/appraisal/json/json_text.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64Url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr absl::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Stands for itself in a JSON string.
constexpr bool IsPlain(uint8_t c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 0; c < plain.size(); ++c) plain[c] = IsPlain(static_cast<uint8_t>(c));
  return plain;
}();

void AppendEscaped(std::string& out, uint8_t c) {
  if (c == '"' || c == '\\') {
    out.push_back('\\');
    out.push_back(static_cast<char>(c));
  } else if (c == '\n') {
    out.append("\\n");
  } else if (c == '\t') {
    out.append("\\t");
  } else {
    out.append("\\u00");
    out.push_back(kHexDigits[c >> 4]);
    out.push_back(kHexDigits[c & 15]);
  }
}

// The lead byte's length of sequence, and the bounds of the second byte (Unicode, table 3-7): no
// overlong forms, no surrogates, nothing above U+10FFFF.
struct Lead {
  uint8_t length = 0, least = 0x80, most = 0xbf;
};

constexpr Lead LeadOf(uint8_t lead) {
  if (lead < 0x80) return {.length = 1};
  if (lead < 0xc2 || lead > 0xf4) return {};
  if (lead < 0xe0) return {.length = 2};
  if (lead < 0xf0) {
    return {.length = 3,
            .least = static_cast<uint8_t>(lead == 0xe0 ? 0xa0 : 0x80),
            .most = static_cast<uint8_t>(lead == 0xed ? 0x9f : 0xbf)};
  }
  return {.length = 4,
          .least = static_cast<uint8_t>(lead == 0xf0 ? 0x90 : 0x80),
          .most = static_cast<uint8_t>(lead == 0xf4 ? 0x8f : 0xbf)};
}

}  // namespace

size_t Utf8Length(absl::string_view text) {
  const ByteView bytes = AsBytes(text);
  const Lead lead = LeadOf(bytes[0]);
  if (lead.length <= 1) return lead.length;
  if (bytes.size() < lead.length || bytes[1] < lead.least || bytes[1] > lead.most) return 0;
  for (size_t i = 2; i < lead.length; ++i) {
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  }
  return lead.length;
}

void JsonText::Separate() {
  if (text_.empty()) return;
  const char last = text_.back();
  if (last != '{' && last != '[' && last != ':') text_.push_back(',');
}

void JsonText::Key(absl::string_view name) {
  Separate();
  text_.push_back('"');
  text_.append(name.data(), name.size());
  text_.append("\":");
}

void JsonText::String(absl::string_view value) {
  Separate();
  text_.push_back('"');
  size_t i = 0;
  while (i < value.size()) {
    const size_t start = i;
    while (i < value.size() && kPlain[static_cast<uint8_t>(value[i])]) ++i;
    text_.append(value.data() + start, i - start);
    if (i == value.size()) break;
    const size_t length = Utf8Length(value.substr(i));
    if (length == 0) {
      text_.append(kReplacement.data(), kReplacement.size());
    } else if (length == 1) {
      AppendEscaped(text_, static_cast<uint8_t>(value[i]));
    } else {
      text_.append(value.data() + i, length);
    }
    i += length == 0 ? 1 : length;
  }
  text_.push_back('"');
}

void JsonText::Number(uint64_t value) {
  Separate();
  absl::StrAppend(&text_, value);
}

void JsonText::Boolean(bool value) {
  Separate();
  text_.append(value ? "true" : "false");
}

void JsonText::Hex(ByteView value) {
  Separate();
  text_.push_back('"');
  size_t at = text_.size();
  text_.resize(at + 2 * value.size());
  for (const uint8_t b : value) {
    text_[at++] = kHexDigits[b >> 4];
    text_[at++] = kHexDigits[b & 15];
  }
  text_.push_back('"');
}

void JsonText::Base64Url(ByteView value) {
  Separate();
  text_.push_back('"');
  size_t at = text_.size();
  text_.resize(at + (value.size() * 4 + 2) / 3);
  size_t i = 0;
  for (; i + 3 <= value.size(); i += 3) {
    const uint32_t group = uint32_t{value[i]} << 16 | uint32_t{value[i + 1]} << 8 | value[i + 2];
    for (unsigned n = 0; n < 4; ++n) text_[at++] = kBase64Url[(group >> (18 - 6 * n)) & 63];
  }
  const size_t left = value.size() - i;
  if (left != 0) {
    const uint32_t group = uint32_t{value[i]} << 16 | (left == 2 ? uint32_t{value[i + 1]} << 8 : 0);
    for (unsigned n = 0; n <= left; ++n) text_[at++] = kBase64Url[(group >> (18 - 6 * n)) & 63];
  }
  text_.push_back('"');
}

}  // namespace bootgate::gatekeeper::appraisal::json
