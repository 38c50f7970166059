#include "gatekeeper/appraisal/tpm_boot/start_values.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

constexpr uint32_t kDynamicFirst = 17, kDynamicLast = 22;  // start at ones

}  // namespace

bool IsStartValue(uint32_t index, const crypto::Digest& value) {
  if (value.IsZero()) return true;
  return index >= kDynamicFirst && index <= kDynamicLast &&
         value == crypto::Digest::Ones(value.alg());
}

uint32_t MovedRegisters(const registers::RegisterBank& bank) {
  uint32_t moved = 0;
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    const auto value = bank.Get(i);
    if (value && !IsStartValue(i, *value)) moved |= 1u << i;
  }
  return moved;
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
