// What a fuzz target holds to be true of every input.
#pragma once

namespace bootgate::fuzz {

inline void Require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace bootgate::fuzz
