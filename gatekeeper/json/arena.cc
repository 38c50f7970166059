#include "gatekeeper/json/arena.h"

#include <algorithm>
#include <cstring>

namespace bootgate::gatekeeper::json {
namespace {

constexpr size_t kLargestChunk = size_t{1} << 20;  // bytes; a larger request gets its own chunk

}  // namespace

void* Arena::Allocate(size_t size_bytes, size_t alignment) {
  const size_t gap = (alignment - reinterpret_cast<uintptr_t>(free_) % alignment) % alignment;
  if (exhausted_ || size_bytes > limit_bytes_ - used_bytes_ ||
      gap > limit_bytes_ - used_bytes_ - size_bytes) {
    exhausted_ = true;
    return nullptr;
  }
  if (gap + size_bytes > free_bytes_) {
    if (!AddChunk(size_bytes)) return nullptr;
    return Allocate(size_bytes, alignment);
  }
  uint8_t* const taken = free_ + gap;
  free_ += gap + size_bytes;
  free_bytes_ -= gap + size_bytes;
  used_bytes_ += gap + size_bytes;
  return taken;
}

absl::string_view Arena::Keep(absl::string_view text) {
  if (text.empty()) return {};
  auto* const copy = static_cast<char*>(Allocate(text.size(), 1));
  if (copy == nullptr) return {};
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

bool Arena::AddChunk(size_t size_bytes) {
  const size_t wanted = std::max(next_chunk_bytes_, size_bytes);
  next_chunk_bytes_ = std::min(next_chunk_bytes_ * 2, kLargestChunk);
  chunks_.emplace_back(new (std::nothrow) uint8_t[wanted]);
  free_ = chunks_.back().get();
  free_bytes_ = free_ == nullptr ? 0 : wanted;
  exhausted_ = exhausted_ || free_ == nullptr;
  return free_ != nullptr;
}

}  // namespace bootgate::gatekeeper::json
