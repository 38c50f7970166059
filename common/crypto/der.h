// The few DER forms that public keys are made of, read strictly: definite minimal lengths, minimal
// integers. Values borrow the input.
//
// Implements: ITU-T X.690, 8 and 10 (DER); what of it RFC 5280 and RFC 8017 keys need.
#pragma once

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"

namespace bootgate::crypto {

class DerReader {
 public:
  static constexpr uint8_t kInteger = 0x02, kBitString = 0x03, kOid = 0x06, kSequence = 0x30;
  static constexpr uint8_t kExplicit0 = 0xa0;  // [0], around another element

  explicit DerReader(ByteView der) : rest_(der) {}

  bool empty() const { return rest_.empty(); }

  bool NextIs(uint8_t tag) const { return !rest_.empty() && rest_[0] == tag; }

  // The contents of the next element, which must have this tag; kInvalidArgument otherwise.
  absl::StatusOr<ByteView> Take(uint8_t tag);
  // The same with its tag and length.
  absl::StatusOr<ByteView> TakeWhole(uint8_t tag);
  // The next element whatever its tag is, with tag and length.
  absl::StatusOr<ByteView> TakeAny();
  // A positive INTEGER's magnitude, without the sign byte.
  absl::StatusOr<ByteView> TakePositiveInteger();
  // A BIT STRING of whole bytes.
  absl::StatusOr<ByteView> TakeBitString();

 private:
  absl::StatusOr<size_t> TakeLength();
  ByteView rest_;
};

// Appends an INTEGER with this big-endian magnitude (leading zeros are dropped; empty means 0).
void AppendDerInteger(ByteView magnitude, Bytes& out);

}  // namespace bootgate::crypto
