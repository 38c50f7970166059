#include "gatekeeper/reference/imaset/layout.h"

namespace bootgate::gatekeeper::reference::layout {
namespace {

// Odd, with about as many ones as zeros, spread.
constexpr uint64_t kMix = 0x9e6c63d0876a9a35;
constexpr uint64_t kStart = 0x5bd1e9955bd1e995;

// Both halves of the product: every bit of the inputs reaches every bit of the result.
uint64_t Fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The last `count` bytes, fewer than eight, as an integer.
uint64_t LastBytes(ByteView bytes, size_t count) {
  if (count == 0) return 0;
  if (bytes.size() >= sizeof(uint64_t)) {
    return Le64(bytes, bytes.size() - sizeof(uint64_t)) >> 8 * (sizeof(uint64_t) - count);
  }
  uint64_t rest = 0;
  for (size_t i = bytes.size(); i > bytes.size() - count; --i) rest = rest << 8 | bytes[i - 1];
  return rest;
}

}  // namespace

uint64_t HashPath(absl::string_view path) {
  constexpr size_t kBlock = 8;
  const ByteView bytes = AsBytes(path);
  uint64_t hash = kStart ^ bytes.size();
  size_t at = 0;
  for (; bytes.size() - at >= kBlock; at += kBlock) hash = Fold(hash ^ Le64(bytes, at), kMix);
  const uint64_t rest = LastBytes(bytes, bytes.size() - at);
  return Fold(Fold(hash ^ rest, kMix), kStart);
}

uint64_t HashDigest(ByteView digest) { return Fold(Le64(digest, 0) ^ kStart, kMix); }

}  // namespace bootgate::gatekeeper::reference::layout
