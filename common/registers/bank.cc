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
  if (index >= kCount || digest.alg() != alg_) return false;
  return Set(index, Extended(Has(index) ? values_[index] : crypto::Digest(alg_), digest));
}

crypto::Digest Extended(const crypto::Digest& old, const crypto::Digest& digest) {
  return crypto::Hash(old.alg(), {old.view(), digest.view()});
}

}  // namespace bootgate::registers
