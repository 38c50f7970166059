// Measurement registers: an index and a digest that only ever extends.
//
// Not called PCRs: the registers of confidential machines (RTMR) are the same thing.
// Implements: TPM 2.0 Part 1, 17.2 (PCR extend).
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>

#include "common/crypto/hash.h"

namespace bootgate::registers {

inline constexpr uint32_t kCount = 24;  // PCRs of a PC client TPM: 0..23

// Values of one bank. A register that was never set has no value: "not known" and "zero" differ.
class RegisterBank {
 public:
  explicit RegisterBank(crypto::HashAlg alg) : alg_(alg) {}

  crypto::HashAlg alg() const { return alg_; }
  bool Has(uint32_t index) const { return index < kCount && known_[index]; }
  std::optional<crypto::Digest> Get(uint32_t index) const;
  uint32_t mask() const {
    return static_cast<uint32_t>(known_.to_ulong());
  }  // bit n: register n is known

  // False, and nothing happens, when the index is above 23 or the digest is of another algorithm.
  bool Set(uint32_t index, const crypto::Digest& value);

  // new = H(old || digest); a register without a value starts at zeros. False as in Set.
  bool Extend(uint32_t index, const crypto::Digest& digest);
  // The same with the digest as it lies in a log: false also when its size is not the bank's.
  bool Extend(uint32_t index, ByteView digest);

  friend bool operator==(const RegisterBank&, const RegisterBank&) = default;

 private:
  crypto::HashAlg alg_;
  std::bitset<kCount> known_;
  std::array<crypto::Digest, kCount> values_{};
};

// H(old || digest) in the algorithm of `old`.
crypto::Digest Extended(const crypto::Digest& old, const crypto::Digest& digest);

}  // namespace bootgate::registers
