// Which events of two boots belong together?
//
// Events with the same digest, in the same order, are the same (a longest common subsequence). What
// lies between is paired by what it is about: first within its gap, then across gaps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::reference {

struct AlignEvent {
  crypto::Digest digest;
  uint32_t type = 0;
  std::string key;  // empty: pair by position
};

// One row: an event of the reference, of the host, or both. Rows where both have the same digest
// and place are left out.
struct Difference {
  std::optional<size_t> reference;
  std::optional<size_t> host;
};

// Bound on the work of the common subsequence; above it events are paired by key alone.
inline constexpr size_t kMaxAlignCells = size_t{4} << 20;

std::vector<Difference> Align(const std::vector<AlignEvent>& reference,
                              const std::vector<AlignEvent>& host);

}  // namespace bootgate::gatekeeper::reference
