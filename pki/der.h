// DER, as far as certificates need it: a small writer, and a bounded reader of one element.
//
// Implements: ITU-T X.690, section 10 (definite lengths in the fewest bytes). The reader is used on
// our own certificates and to find where a padded one ends; X.509 from outside is parsed by
// OpenSSL.
#pragma once

#include <initializer_list>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/bytes/reader.h"

namespace bootgate::pki::der {

inline constexpr uint8_t kBoolean = 0x01, kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04,
                         kOid = 0x06, kEnumerated = 0x0a, kUtf8String = 0x0c,
                         kPrintableString = 0x13, kUtcTime = 0x17, kGeneralizedTime = 0x18,
                         kSequence = 0x30, kSet = 0x31;
inline constexpr uint8_t kContextPrimitive = 0x80, kContextConstructed = 0xa0;  // | number, 0..30

// One element around the parts, one after the other.
Bytes Element(uint8_t tag, std::initializer_list<ByteView> parts);
inline Bytes Sequence(std::initializer_list<ByteView> parts) { return Element(kSequence, parts); }

Bytes Oid(std::initializer_list<uint32_t> arcs);  // at least two arcs, as the standard demands
Bytes Integer(ByteView magnitude);                // unsigned, big-endian, any leading zeros
Bytes Number(uint64_t value);                     // INTEGER
Bytes Enumerated(uint8_t value);                  // below 128
Bytes Boolean(bool value);
Bytes Text(absl::string_view utf8);
Bytes BitString(ByteView whole_bytes);
// UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5). Whole seconds, rounded
// down.
Bytes Time(absl::Time time);
Bytes GeneralizedTime(absl::Time time);  // in every year, as OCSP wants it; whole seconds

struct ReadElement {
  uint8_t tag = 0;
  ByteView contents;
  ByteView whole;  // header and contents
};

// Reads the next element. kOutOfRange: cut; kInvalidArgument: indefinite length, a length of more
// than four bytes, a tag number above 30.
absl::StatusOr<ReadElement> Read(bytes::Reader& in);
// Reads the next element and wants this tag; kInvalidArgument when it is another.
absl::StatusOr<ReadElement> Expect(bytes::Reader& in, uint8_t tag);

}  // namespace bootgate::pki::der
