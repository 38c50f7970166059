#include "common/crypto/der.h"

#include <algorithm>

#include "absl/status/status.h"
#include "common/base/status_macros.h"

namespace bootgate::crypto {
namespace {

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

}  // namespace

absl::StatusOr<size_t> DerReader::TakeLength() {
  if (rest_.empty()) return Bad("DER: no length");
  const uint8_t first = rest_[0];
  rest_ = rest_.subspan(1);
  if (first < 0x80) return first;
  const size_t count = first & 0x7fu;
  // Nothing we read is longer than 64 KiB; 0x80 is BER's indefinite form.
  if (count == 0 || count > 2 || rest_.size() < count) return Bad("DER: bad length");
  size_t length = 0;
  for (size_t i = 0; i < count; ++i) length = length << 8 | rest_[i];
  rest_ = rest_.subspan(count);
  if (length < 0x80 || (count == 2 && length < 0x100)) return Bad("DER: length not minimal");
  return length;
}

absl::StatusOr<ByteView> DerReader::Take(uint8_t tag) {
  if (rest_.empty() || rest_[0] != tag) return Bad("DER: another element than expected");
  rest_ = rest_.subspan(1);
  BG_ASSIGN_OR_RETURN(const size_t length, TakeLength());
  if (length > rest_.size()) return Bad("DER: element cut short");
  const ByteView contents = rest_.first(length);
  rest_ = rest_.subspan(length);
  return contents;
}

absl::StatusOr<ByteView> DerReader::TakeWhole(uint8_t tag) {
  const ByteView from = rest_;
  BG_RETURN_IF_ERROR(Take(tag).status());
  return from.first(from.size() - rest_.size());
}

absl::StatusOr<ByteView> DerReader::TakeAny() {
  if (rest_.empty()) return Bad("DER: no element");
  return TakeWhole(rest_[0]);
}

absl::StatusOr<ByteView> DerReader::TakePositiveInteger() {
  BG_ASSIGN_OR_RETURN(const ByteView contents, Take(kInteger));
  if (contents.empty() || (contents[0] & 0x80) != 0) return Bad("DER: integer not positive");
  if (contents[0] != 0) return contents;
  if (contents.size() == 1 || (contents[1] & 0x80) == 0)
    return Bad("DER: integer not minimal or 0");
  return contents.subspan(1);
}

absl::StatusOr<ByteView> DerReader::TakeBitString() {
  BG_ASSIGN_OR_RETURN(const ByteView contents, Take(kBitString));
  if (contents.empty() || contents[0] != 0) return Bad("DER: bit string not of whole bytes");
  return contents.subspan(1);
}

void AppendDerInteger(ByteView magnitude, Bytes& out) {
  const auto first = std::ranges::find_if(magnitude, [](uint8_t b) { return b != 0; });
  const ByteView digits(first, magnitude.end());
  const bool sign_byte = digits.empty() || (digits[0] & 0x80) != 0;
  const size_t length = digits.size() + (sign_byte ? 1 : 0);
  out.push_back(DerReader::kInteger);
  if (length >= 0x100) out.push_back(0x82), out.push_back(static_cast<uint8_t>(length >> 8));
  if (length >= 0x80 && length < 0x100) out.push_back(0x81);
  out.push_back(static_cast<uint8_t>(length));
  if (sign_byte) out.push_back(0);
  out.insert(out.end(), digits.begin(), digits.end());
}

}  // namespace bootgate::crypto
