#include "pki/der.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace bootgate::pki::der {
namespace {

constexpr size_t kShortLength = 0x80;  // lengths below it stand in one byte
constexpr uint8_t kMaxLengthBytes = 4;
constexpr uint8_t kTagNumberMask = 0x1f;  // all ones: the number follows in further bytes

void AppendLength(Bytes& out, size_t length) {
  if (length < kShortLength) {
    out.push_back(static_cast<uint8_t>(length));
    return;
  }
  int bytes = 1;
  while (bytes < 8 && (length >> (8 * bytes)) != 0) ++bytes;
  out.push_back(static_cast<uint8_t>(0x80 | bytes));
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(length >> (8 * i)));
}

void AppendArc(Bytes& out, uint32_t arc) {
  int groups = 1;
  while (groups < 5 && (arc >> (7 * groups)) != 0) ++groups;
  for (int i = groups - 1; i >= 0; --i) {
    const uint8_t more = i > 0 ? 0x80 : 0;
    out.push_back(static_cast<uint8_t>(((arc >> (7 * i)) & 0x7f) | more));
  }
}

absl::StatusOr<size_t> ReadLength(bytes::Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint8_t first, in.U8());
  if (first < kShortLength) return first;
  const uint8_t bytes = first & 0x7f;
  if (bytes == 0 || bytes > kMaxLengthBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("indefinite or oversized DER length before offset ", in.offset()));
  }
  size_t length = 0;
  for (uint8_t i = 0; i < bytes; ++i) {
    BG_ASSIGN_OR_RETURN(const uint8_t next, in.U8());
    length = length << 8 | next;
  }
  return length;
}

std::string AfterTheYear(absl::CivilSecond utc) {
  return absl::StrFormat("%02d%02d%02d%02d%02dZ", utc.month(), utc.day(), utc.hour(), utc.minute(),
                         utc.second());
}

}  // namespace

Bytes Element(uint8_t tag, std::initializer_list<ByteView> parts) {
  size_t length = 0;
  for (const ByteView part : parts) length += part.size();
  Bytes out;
  out.reserve(length + 6);
  out.push_back(tag);
  AppendLength(out, length);
  for (const ByteView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Bytes Oid(std::initializer_list<uint32_t> arcs) {
  Bytes contents;
  const uint32_t* arc = arcs.begin();
  AppendArc(contents, arc[0] * 40 + arc[1]);
  for (arc += 2; arc != arcs.end(); ++arc) AppendArc(contents, *arc);
  return Element(kOid, {contents});
}

Bytes Integer(ByteView magnitude) {
  static constexpr uint8_t kZero[] = {0};
  while (!magnitude.empty() && magnitude.front() == 0) magnitude = magnitude.subspan(1);
  const bool needs_zero = magnitude.empty() || (magnitude.front() & 0x80) != 0;
  return Element(kInteger, {ByteView(kZero, needs_zero ? 1 : 0), magnitude});
}

Bytes Number(uint64_t value) {
  uint8_t magnitude[8];
  for (size_t i = 0; i < sizeof magnitude; ++i) {
    magnitude[i] = static_cast<uint8_t>(value >> (8 * (sizeof magnitude - 1 - i)));
  }
  return Integer(magnitude);
}

Bytes Enumerated(uint8_t value) { return Element(kEnumerated, {ByteView(&value, 1)}); }

Bytes Boolean(bool value) {
  const uint8_t byte = value ? 0xff : 0x00;
  return Element(kBoolean, {ByteView(&byte, 1)});
}

Bytes Text(absl::string_view utf8) { return Element(kUtf8String, {AsBytes(utf8)}); }

Bytes BitString(ByteView whole_bytes) {
  static constexpr uint8_t kNoUnusedBits[] = {0};
  return Element(kBitString, {kNoUnusedBits, whole_bytes});
}

Bytes Time(absl::Time time) {
  constexpr int kFirstGeneralizedYear = 2050;
  const absl::CivilSecond utc = absl::ToCivilSecond(time, absl::UTCTimeZone());
  if (utc.year() >= kFirstGeneralizedYear) return GeneralizedTime(time);
  return Element(kUtcTime,
                 {AsBytes(absl::StrFormat("%02d", utc.year() % 100)), AsBytes(AfterTheYear(utc))});
}

Bytes GeneralizedTime(absl::Time time) {
  const absl::CivilSecond utc = absl::ToCivilSecond(time, absl::UTCTimeZone());
  return Element(kGeneralizedTime,
                 {AsBytes(absl::StrFormat("%04d", utc.year())), AsBytes(AfterTheYear(utc))});
}

absl::StatusOr<ReadElement> Read(bytes::Reader& in) {
  const ByteView from = in.rest();
  BG_ASSIGN_OR_RETURN(const uint8_t tag, in.U8());
  if ((tag & kTagNumberMask) == kTagNumberMask) {
    return absl::InvalidArgumentError(
        absl::StrCat("DER tag number above 30 before offset ", in.offset()));
  }
  BG_ASSIGN_OR_RETURN(const size_t length, ReadLength(in));
  BG_ASSIGN_OR_RETURN(const ByteView contents, in.Take(length));
  return ReadElement{tag, contents, from.subspan(0, from.size() - in.remaining())};
}

absl::StatusOr<ReadElement> Expect(bytes::Reader& in, uint8_t tag) {
  BG_ASSIGN_OR_RETURN(const ReadElement element, Read(in));
  if (element.tag != tag) {
    return absl::InvalidArgumentError(
        absl::StrFormat("DER tag 0x%02x where 0x%02x is expected, before offset %d", element.tag,
                        tag, in.offset()));
  }
  return element;
}

}  // namespace bootgate::pki::der
