#include "common/base/hex.h"

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace bootgate {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Length in bytes of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none.
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  size_t length = 0;
  uint32_t code = 0, smallest = 0;
  if (lead >= 0xc2 && lead < 0xe0) {
    length = 2, code = lead & 0x1fU, smallest = 0x80;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    length = 3, code = lead & 0x0fU, smallest = 0x800;
  } else if (lead >= 0xf0 && lead < 0xf5) {
    length = 4, code = lead & 0x07U, smallest = 0x10000;
  } else {
    return 0;
  }
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  // C1 controls and the bidirectional overrides can rewrite what a terminal shows.
  const bool deceptive =
      code < 0xa0 || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return code < smallest || code > 0x10ffff || surrogate || deceptive ? 0 : length;
}

}  // namespace

std::string ToHex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const uint8_t b : bytes) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

absl::StatusOr<Bytes> FromHex(absl::string_view text) {
  if (text.size() % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("odd number of hexadecimal digits: ", text.size()));
  }
  Bytes out;
  out.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = DigitValue(text[i]), low = DigitValue(text[i + 1]);
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError(absl::StrCat("not a hexadecimal digit near position ", i));
    }
    out.push_back(static_cast<uint8_t>(high * 16 + low));
  }
  return out;
}

std::string ToBase64(ByteView bytes) { return absl::Base64Escape(AsText(bytes)); }
std::string ToBase64Url(ByteView bytes) { return absl::WebSafeBase64Escape(AsText(bytes)); }

absl::StatusOr<Bytes> FromBase64(absl::string_view text) {
  std::string out;
  if (!absl::Base64Unescape(text, &out)) return absl::InvalidArgumentError("not base64");
  return ToBytes(AsBytes(out));
}

// One text for one value: what another writer would have written differently is refused.
absl::StatusOr<Bytes> FromBase64Url(absl::string_view text) {
  std::string out;
  if (!absl::WebSafeBase64Unescape(text, &out) || ToBase64Url(AsBytes(out)) != text) {
    return absl::InvalidArgumentError("not base64url");
  }
  return ToBytes(AsBytes(out));
}

absl::StatusOr<Bytes> FromStrictBase64(absl::string_view text) {
  std::string out;
  if (!absl::Base64Unescape(text, &out) || ToBase64(AsBytes(out)) != text) {
    return absl::InvalidArgumentError("not base64");
  }
  return ToBytes(AsBytes(out));
}

std::string Printable(absl::string_view text, size_t max_bytes) {
  std::string out;
  size_t i = 0;
  while (i < text.size()) {
    if (i >= max_bytes) return out + "...";
    const auto c = static_cast<uint8_t>(text[i]);
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0 || c < 0x20 || c == 0x7f) {
      absl::StrAppend(&out, "\\x", absl::string_view(kDigits + (c >> 4), 1),
                      absl::string_view(kDigits + (c & 15), 1));
      ++i;
    } else {
      out.append(text.data() + i, length);
      i += length;
    }
  }
  return out;
}

}  // namespace bootgate
