#include "common/bytes/writer.h"

#include <cstdlib>
#include <limits>

namespace bootgate::bytes {
namespace {

template <typename T>
void Big(Bytes& out, T value) {
  for (size_t i = sizeof(T); i-- > 0;)
    out.push_back(static_cast<uint8_t>(uint64_t{value} >> (8 * i)));
}

template <typename T>
void Little(Bytes& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<uint8_t>(uint64_t{value} >> (8 * i)));
}

}  // namespace

Writer& Writer::U8(uint8_t value) { return out_.push_back(value), *this; }
Writer& Writer::U16Be(uint16_t value) { return Big(out_, value), *this; }
Writer& Writer::U32Be(uint32_t value) { return Big(out_, value), *this; }
Writer& Writer::U64Be(uint64_t value) { return Big(out_, value), *this; }
Writer& Writer::U16Le(uint16_t value) { return Little(out_, value), *this; }
Writer& Writer::U32Le(uint32_t value) { return Little(out_, value), *this; }
Writer& Writer::U64Le(uint64_t value) { return Little(out_, value), *this; }

Writer& Writer::Raw(ByteView value) {
  out_.insert(out_.end(), value.begin(), value.end());
  return *this;
}

Writer& Writer::Sized16Be(ByteView value) {
  // A larger value is a bug of ours, never input: writing a wrong size would sign a lie.
  if (value.size() > std::numeric_limits<uint16_t>::max()) std::abort();
  return U16Be(static_cast<uint16_t>(value.size())).Raw(value);
}

Writer& Writer::Sized32Be(ByteView value) {
  if (value.size() > std::numeric_limits<uint32_t>::max()) std::abort();
  return U32Be(static_cast<uint32_t>(value.size())).Raw(value);
}

}  // namespace bootgate::bytes
