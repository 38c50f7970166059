// Reads a borrowed buffer front to back: the only place bytes become integers.
//
// Every read either advances past the value or returns kOutOfRange with the
// offset and leaves the position where it was. It never allocates on success
// and cannot step outside. Does not own the bytes; they must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"

namespace bootgate::bytes {

class Reader {
 public:
  // `base`: offset of the first byte in the file it came from, for messages.
  explicit Reader(ByteView bytes, size_t base = 0) : bytes_(bytes), base_(base) {}

  size_t offset() const { return base_ + pos_; }             // bytes, absolute
  size_t remaining() const { return bytes_.size() - pos_; }  // bytes
  bool empty() const { return remaining() == 0; }
  ByteView rest() const { return bytes_.subspan(pos_); }

  absl::StatusOr<ByteView> Take(size_t n);
  absl::StatusOr<Reader> Sub(size_t n);  // a reader over the next n bytes alone
  absl::Status Skip(size_t n);

  absl::StatusOr<uint8_t> U8();
  absl::StatusOr<uint16_t> U16Le();
  absl::StatusOr<uint32_t> U32Le();
  absl::StatusOr<uint64_t> U64Le();
  absl::StatusOr<uint16_t> U16Be();
  absl::StatusOr<uint32_t> U32Be();
  absl::StatusOr<uint64_t> U64Be();

  // A TPM2B: 16-bit big-endian size, then that many bytes.
  absl::StatusOr<ByteView> Sized16Be();

  absl::Status ExpectEnd() const;  // kInvalidArgument on stray bytes

  // Without a Status, for loops over untrusted records where the caller names the error:
  // false and unmoved when fewer than the needed bytes are left. Here, so that they are compiled
  // into those loops: a list has a million records.
  bool TryTake(size_t n, ByteView* value) {
    if (n > remaining()) return false;
    *value = bytes_.subspan(pos_, n);
    pos_ += n;
    return true;
  }
  bool TryU32Le(uint32_t* value) {
    ByteView b;
    if (!TryTake(4, &b)) return false;
    *value = uint32_t{b[0]} | uint32_t{b[1]} << 8 | uint32_t{b[2]} << 16 | uint32_t{b[3]} << 24;
    return true;
  }
  bool TryU64Le(uint64_t* value) {
    ByteView b;
    if (!TryTake(8, &b)) return false;
    *value = 0;
    for (size_t i = 8; i > 0; --i) *value = *value << 8 | b[i - 1];
    return true;
  }
  bool TryU8(uint8_t* value) {
    ByteView b;
    if (!TryTake(1, &b)) return false;
    *value = b[0];
    return true;
  }
  bool TryU16Le(uint16_t* value) {
    ByteView b;
    if (!TryTake(2, &b)) return false;
    *value = static_cast<uint16_t>(b[0] | b[1] << 8);
    return true;
  }

 private:
  absl::Status Short(size_t n) const;
  template <typename T>
  absl::StatusOr<T> Le();
  template <typename T>
  absl::StatusOr<T> Be();

  ByteView bytes_;
  size_t base_ = 0;
  size_t pos_ = 0;
};

}  // namespace bootgate::bytes
