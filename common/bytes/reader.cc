#include "common/bytes/reader.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace bootgate::bytes {

absl::Status Reader::Short(size_t n) const {
  return absl::OutOfRangeError(
      absl::StrCat("need ", n, " bytes at offset ", offset(), ", have ", remaining()));
}

absl::StatusOr<ByteView> Reader::Take(size_t n) {
  if (n > remaining()) return Short(n);
  const ByteView taken = bytes_.subspan(pos_, n);
  pos_ += n;
  return taken;
}

absl::StatusOr<Reader> Reader::Sub(size_t n) {
  const size_t start = offset();
  BG_ASSIGN_OR_RETURN(const ByteView taken, Take(n));
  return Reader(taken, start);
}

absl::Status Reader::Skip(size_t n) { return Take(n).status(); }

template <typename T>
absl::StatusOr<T> Reader::Le() {
  BG_ASSIGN_OR_RETURN(const ByteView taken, Take(sizeof(T)));
  T value = 0;
  for (size_t i = sizeof(T); i-- > 0;) value = static_cast<T>((uint64_t{value} << 8) | taken[i]);
  return value;
}

template <typename T>
absl::StatusOr<T> Reader::Be() {
  BG_ASSIGN_OR_RETURN(const ByteView taken, Take(sizeof(T)));
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((uint64_t{value} << 8) | taken[i]);
  return value;
}

absl::StatusOr<uint8_t> Reader::U8() { return Le<uint8_t>(); }
absl::StatusOr<uint16_t> Reader::U16Le() { return Le<uint16_t>(); }
absl::StatusOr<uint32_t> Reader::U32Le() { return Le<uint32_t>(); }
absl::StatusOr<uint64_t> Reader::U64Le() { return Le<uint64_t>(); }
absl::StatusOr<uint16_t> Reader::U16Be() { return Be<uint16_t>(); }
absl::StatusOr<uint32_t> Reader::U32Be() { return Be<uint32_t>(); }
absl::StatusOr<uint64_t> Reader::U64Be() { return Be<uint64_t>(); }

absl::StatusOr<ByteView> Reader::Sized16Be() {
  const size_t start = pos_;
  BG_ASSIGN_OR_RETURN(const uint16_t size, U16Be());
  absl::StatusOr<ByteView> taken = Take(size);
  if (!taken.ok()) pos_ = start;
  return taken;
}

absl::Status Reader::ExpectEnd() const {
  if (empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(remaining(), " stray bytes at offset ", offset()));
}

}  // namespace bootgate::bytes
