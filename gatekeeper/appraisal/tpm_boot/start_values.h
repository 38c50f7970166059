// What a register holds before anybody extends it.
//
// Implements: TPM 2.0 PC Client Platform TPM Profile 1.05, 4.6 (initial values of PCR).
#pragma once

#include <cstdint>

#include "common/crypto/hash.h"
#include "common/registers/bank.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

bool IsStartValue(uint32_t index, const crypto::Digest& value);

// Bit n: register n of the bank is there and not at its start value.
uint32_t MovedRegisters(const registers::RegisterBank& bank);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
