// A value that only ever becomes H(value || digest): a register, followed over many entries.
//
// For a list of a million entries: as many hashes of two digests, and nothing beside them. Values
// are those of registers, never a secret.
#pragma once

#include <algorithm>
#include <array>

#include "common/crypto/hash.h"

namespace bootgate::crypto {

class HashChain {
 public:
  explicit HashChain(const Digest& start);

  // A digest that is shorter than the algorithm's is filled up with zeros; never longer.
  void Extend(ByteView digest) {
    std::fill(std::ranges::copy(digest, Second()).out, Second() + DigestSize(alg_), uint8_t{0});
    Step();
  }

  // The same with the hash of `message` in the chain's algorithm: Extend(Hash(alg(), message)).
  void ExtendWithHashOf(ByteView message);

  HashAlg alg() const { return alg_; }
  Digest value() const;
  bool Is(const Digest& other) const {
    return other.alg() == alg_ && SameBytes({message_.data(), DigestSize(alg_)}, other.view());
  }

 private:
  uint8_t* Second() { return message_.data() + DigestSize(alg_); }
  void Step();

  static constexpr size_t kShortBlocks = 256;  // bytes: a short message and its padding

  HashAlg alg_;
  // The value, the digest; for SHA-256 then the padding of a message of their length.
  std::array<uint8_t, 2 * kMaxDigestSize> message_{};
  std::array<uint8_t, kShortBlocks> blocks_;  // of a message to be hashed, filled as far as read
};

}  // namespace bootgate::crypto
