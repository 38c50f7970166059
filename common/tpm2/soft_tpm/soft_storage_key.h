// Test only: an endorsement (or other storage) key in software, which opens what was wrapped for
// it: TPM2_ActivateCredential and TPM2_Import from the TPM's side, without sessions and policies.
//
// Implements: TPM 2.0 Part 1, 23.3 (outer and inner wrap), 24 (credential protection).
#pragma once

#include "absl/status/statusor.h"
#include "common/crypto/private_key.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/wrap.h"

namespace bootgate::tpm2::soft_tpm {

class SoftStorageKey {
 public:
  static SoftStorageKey MakeEk(EkTemplate which);
  SoftStorageKey(crypto::PrivateKey key, Public area)
      : key_(std::move(key)), area_(std::move(area)) {}

  const Public& area() const { return area_; }
  const crypto::PrivateKey& key() const { return key_; }

  // The credential. An error when the blob was made for another key or another name.
  absl::StatusOr<SecretBytes> ActivateCredential(const CredentialBlob& blob, ByteView name) const;

  // The TPM2B_SENSITIVE of an imported object. `inner_key`: AES-128 key of the inner wrap, empty
  // when there is none.
  absl::StatusOr<SecretBytes> Import(const ImportBlob& blob, ByteView inner_key = {}) const;

  // The data of an imported sealed object.
  absl::StatusOr<SecretBytes> Unseal(const ImportBlob& blob) const;

  // The seed inside TPM2B_ENCRYPTED_SECRET; `label` without its NUL.
  absl::StatusOr<SecretBytes> OpenSeed(absl::string_view label, ByteView encrypted) const;

 private:
  absl::StatusOr<SecretBytes> OuterUnwrap(ByteView seed, ByteView name, ByteView wrapped) const;
  crypto::PrivateKey key_;
  Public area_;
};

}  // namespace bootgate::tpm2::soft_tpm
