#include "common/registers/bank.h"

namespace bootgate::registers {

std::optional<crypto::Digest> RegisterBank::Get(uint32_t index) const {
  if (!Has(index)) return std::nullopt;
  return values_[index];
}

bool RegisterBank::Set(uint32_t index, const crypto::Digest& value) {
  if (index >= kCount || value.alg() != alg_) return false;
  known_[index] = true;
  values_[index] = value;
  return true;
}

bool RegisterBank::Extend(uint32_t index, const crypto::Digest& digest) {
  return digest.alg() == alg_ && Extend(index, digest.view());
}

bool RegisterBank::Extend(uint32_t index, ByteView digest) {
  if (index >= kCount || digest.size() != crypto::DigestSize(alg_)) return false;
  crypto::Digest& value = values_[index];
  if (!known_[index]) value = crypto::Digest(alg_);
  known_[index] = true;
  value = crypto::Hash(alg_, {value.view(), digest});
  return true;
}

crypto::Digest Extended(const crypto::Digest& old, const crypto::Digest& digest) {
  return crypto::Hash(old.alg(), {old.view(), digest.view()});
}

}  // namespace bootgate::registers
