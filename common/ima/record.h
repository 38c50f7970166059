// One record of the binary list, as it lies there: taken apart, its fields not yet read.
//
// Implements: Linux security/integrity/ima/ima_fs.c (the binary form): register index, template
// digest, length and name of the template, length and template data; the template "ima" has no
// length before its data.
//
// Integers are in the byte order of the host, little-endian when it was started with
// ima_canonical_fmt. Nothing in the list says which, nor (since Linux 6.10, which shows the list
// once for each bank) of what size the listed digests are: Format::Of decides both by the first
// record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/bytes/reader.h"

namespace bootgate::ima {

enum class ByteOrder : uint8_t { kLittle, kBig };

struct Format {
  ByteOrder order = ByteOrder::kLittle;
  uint8_t listed_digest_size = 20;  // bytes: 20 (SHA-1), 32, 48 or 64

  // The first of little-endian with 20 bytes, big-endian with 20, little-endian with 32, ... under
  // which the first record names its template: 1 to 255 letters, digits and -_|. When there is
  // none, the first of all. Only the first kFormatBytes of the list count.
  static Format Of(ByteView list);

  friend bool operator==(const Format&, const Format&) = default;
};

inline constexpr size_t kMaxTemplateName = 255;                        // bytes
inline constexpr size_t kFormatBytes = 4 + 64 + 4 + kMaxTemplateName;  // bytes

// All views borrow the list. What the quote vouches for, once replayed, is `template_data` alone.
struct Record {
  size_t offset = 0;  // bytes
  uint32_t register_index = 10;
  ByteOrder order = ByteOrder::kLittle;
  bool violation = false;  // listed digest all zeros: extended as ones, content unauthenticated
  ByteView bytes;          // the whole record
  ByteView listed_digest;  // template digest as listed: never an input to a decision
  absl::string_view template_name;
  ByteView template_data;  // what the template digest is computed from

  bool IsLegacy() const { return template_name == "ima"; }
};

struct RecordFault {
  Reason reason = Reason::kImaTruncated;  // or kImaLimit
  absl::string_view what;                 // where the bytes end, or what is too long
  uint32_t size = 0;                      // bytes, of what is too long
};
std::string TextOf(const RecordFault& fault);

// Takes the next record. False with the fault when the bytes end inside it (kImaTruncated) or its
// template name or data is longer than allowed (kImaLimit); `in` is then somewhere inside it.
bool TakeRecord(bytes::Reader& in, const Format& format, size_t max_template_data, Record& record,
                RecordFault& fault);

// A 32-bit integer in this order; false and unmoved when there are fewer than four bytes.
inline bool TakeU32(bytes::Reader& in, ByteOrder order, uint32_t* value) {
  if (!in.TryU32Le(value)) return false;
  if (order == ByteOrder::kBig) *value = __builtin_bswap32(*value);
  return true;
}

}  // namespace bootgate::ima
