// Memory that is handed out in one direction and given back all at once.
//
// One arena holds what one evaluation makes: JSON values, resolved strings, results. It has a byte
// limit, so that hostile input ends in a refusal and not in a full machine. Once the limit was
// passed the arena is `exhausted()` for good: whoever fills it may go on without looking and ask
// once at the end. Not for several threads at a time. Destructors of what lies here never run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace bootgate::gatekeeper::json {

inline constexpr size_t kDefaultArenaBytes = size_t{64} << 20;  // bytes

class Arena {
 public:
  explicit Arena(size_t limit_bytes = kDefaultArenaBytes) : limit_bytes_(limit_bytes) {}
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // Null when the limit would be passed. `alignment` is at most that of max_align_t.
  void* Allocate(size_t size_bytes, size_t alignment);

  // `count` objects with their default value, or an empty span when they do not fit.
  template <typename T>
  absl::Span<T> NewArray(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count > limit_bytes_ / sizeof(T)) {
      exhausted_ = true;
      return {};
    }
    auto* const first = static_cast<T*>(Allocate(count * sizeof(T), alignof(T)));
    if (first == nullptr) return {};
    for (size_t at = 0; at < count; ++at) new (first + at) T();
    return {first, count};
  }

  // A copy that lives as long as the arena; empty when it does not fit.
  absl::string_view Keep(absl::string_view text);

  bool exhausted() const { return exhausted_; }
  size_t used_bytes() const { return used_bytes_; }
  size_t limit_bytes() const { return limit_bytes_; }

 private:
  bool AddChunk(size_t size_bytes);

  size_t limit_bytes_;
  size_t used_bytes_ = 0;  // handed out, with the gaps of alignment
  bool exhausted_ = false;
  uint8_t* free_ = nullptr;
  size_t free_bytes_ = 0;
  size_t next_chunk_bytes_ = 4096;
  std::vector<std::unique_ptr<uint8_t[]>> chunks_;
};

}  // namespace bootgate::gatekeeper::json
