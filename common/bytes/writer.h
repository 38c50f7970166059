// Appends integers and bytes to a buffer of its own; the counterpart of Reader.
#pragma once

#include <cstdint>
#include <utility>

#include "common/base/bytes_view.h"

namespace bootgate::bytes {

class Writer {
 public:
  Writer& U8(uint8_t value);
  Writer& U16Be(uint16_t value);
  Writer& U32Be(uint32_t value);
  Writer& U64Be(uint64_t value);
  Writer& U16Le(uint16_t value);
  Writer& U32Le(uint32_t value);
  Writer& U64Le(uint64_t value);
  Writer& Raw(ByteView value);
  Writer& Sized16Be(ByteView value);  // a TPM2B; at most 65,535 bytes (checked)
  Writer& Sized32Be(ByteView value);  // at most 4 GiB - 1 (checked)

  ByteView view() const { return out_; }
  Bytes Finish() { return std::move(out_); }

 private:
  Bytes out_;
};

}  // namespace bootgate::bytes
