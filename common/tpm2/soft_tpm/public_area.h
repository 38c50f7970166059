// Test only: public areas for keys in software, as a TPM would write them or as an attacker might.
//
// Implements: TPM 2.0 Part 2, 12.2 (TPMT_PUBLIC), from the writer's side.
#pragma once

#include <optional>

#include "common/crypto/public_key.h"
#include "common/tpm2/public.h"

namespace bootgate::tpm2::soft_tpm {

// What a public area says beside its key. The defaults are those of an attestation key.
struct AreaFields {
  crypto::HashAlg name_alg = crypto::HashAlg::kSha256;
  uint32_t attributes = attribute::kFixedTpm | attribute::kFixedParent |
                        attribute::kSensitiveDataOrigin | attribute::kUserWithAuth |
                        attribute::kNoDa | attribute::kRestricted | attribute::kSign;
  Bytes auth_policy;
  uint16_t symmetric_bits = 0;  // AES-CFB key bits of a storage key; 0: none
  Alg scheme = Alg::kEcdsa;     // kNull: none
  crypto::HashAlg scheme_hash = crypto::HashAlg::kSha256;
};

// TPMT_PUBLIC with these fields and this key. Nothing is checked.
Bytes AreaBytes(const crypto::PublicKey& key, const AreaFields& fields);

// The same, parsed. Ends the program when it does not parse.
Public Area(const crypto::PublicKey& key, const AreaFields& fields);

// The area that a template gives with this key. Ends the program when they do not fit.
Public AreaFromTemplate(ByteView tmpl, const crypto::PublicKey& key);

}  // namespace bootgate::tpm2::soft_tpm
