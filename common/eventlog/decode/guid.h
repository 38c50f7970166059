// GUIDs that our tables name, as the sixteen bytes in which UEFI stores them.
//
// Implements: UEFI 2.10, appendix A (EFI_GUID).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

inline constexpr size_t kGuidBytes = 16;

// A GUID written as usual, "8be4df61-93ca-11d2-aa0d-00e098032b8c", turned into bytes when
// compiling.
class Guid {
 public:
  consteval explicit Guid(const char (&text)[37]) {
    // Where in the text each stored byte stands: three little-endian fields, then bytes in order.
    constexpr size_t kPlaces[kGuidBytes] = {6,  4,  2,  0,  11, 9,  16, 14,
                                            19, 21, 24, 26, 28, 30, 32, 34};
    for (size_t i = 0; i < kGuidBytes; ++i) {
      bytes_[i] = static_cast<uint8_t>(Digit(text[kPlaces[i]]) << 4 | Digit(text[kPlaces[i] + 1]));
    }
  }
  constexpr ByteView view() const { return bytes_; }
  bool operator==(ByteView bytes) const { return SameBytes(bytes_, bytes); }

 private:
  static constexpr int Digit(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }
  std::array<uint8_t, kGuidBytes> bytes_{};
};

// A row of a table of names.
struct GuidName {
  Guid guid;
  absl::string_view name;
};

}  // namespace bootgate::eventlog
