// Names for runs of bytes. Everything that borrows bytes takes ByteView.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace bootgate {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

inline Bytes ToBytes(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }

// The bytes of a text, without a final NUL. Borrows `text`.
inline ByteView AsBytes(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The same bytes as text (any bytes, not necessarily UTF-8). Borrows `bytes`.
inline absl::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline bool SameBytes(ByteView a, ByteView b) { return AsText(a) == AsText(b); }

}  // namespace bootgate
