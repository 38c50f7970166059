// Bytes that must not be seen: wiped on destruction, not printable, compared
// in constant time, not copyable by accident.
#pragma once

#include <utility>

#include "common/base/bytes_view.h"

namespace bootgate {

// True when equal; the time taken depends on the sizes alone.
bool SameInConstantTime(ByteView a, ByteView b);

class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(size_t size) : bytes_(size) {}
  explicit SecretBytes(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    Wipe();
    bytes_ = std::exchange(other.bytes_, {});
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { Wipe(); }

  SecretBytes Clone() const { return SecretBytes(view()); }
  ByteView view() const { return bytes_; }
  std::span<uint8_t> mutable_view() { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

  // True when equal; the time taken depends on the sizes alone.
  bool ConstantTimeEquals(ByteView other) const { return SameInConstantTime(bytes_, other); }

 private:
  void Wipe();
  Bytes bytes_;
};

}  // namespace bootgate
