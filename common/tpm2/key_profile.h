// Which public areas we take as EK, as AK and as identity key, and why not.
//
// Implements: EK Credential Profile 2.6, annex B (templates L-1, L-2, H-1 to H-4, H-6, H-7; H-5 is
// of SM2 keys); TPM 2.0 Keys for Device Identity and Attestation, attestation keys.
#pragma once

#include "absl/status/status.h"
#include "common/tpm2/public.h"

namespace bootgate::tpm2 {

enum class EkTemplate {
  kRsa2048Low,
  kP256Low,
  kRsa2048High,
  kP256High,
  kP384High,
  kP521High,
  kRsa3072High,
  kRsa4096High,
};

// In the order of preference: the low range, which most TPMs are certified for, then the high one,
// where keys on curves come before long RSA keys, which a TPM makes in seconds.
inline constexpr EkTemplate kEkTemplates[] = {
    EkTemplate::kRsa2048Low,  EkTemplate::kP256Low,     EkTemplate::kRsa2048High,
    EkTemplate::kP256High,    EkTemplate::kP384High,    EkTemplate::kP521High,
    EkTemplate::kRsa3072High, EkTemplate::kRsa4096High,
};

// TPMT_PUBLIC of the template, as TPM2_CreatePrimary takes it.
Bytes EkTemplateBytes(EkTemplate which);
absl::string_view Name(EkTemplate which);       // "rsa2048-low (L-1)", ...
uint32_t CertificateNvIndex(EkTemplate which);  // 0x01c00002, ...
bool IsEcc(EkTemplate which);
bool IsLowRange(EkTemplate which);  // used by policy only, PolicyA; the high range has PolicyB
crypto::HashAlg NameAlgOf(EkTemplate which);

// The template whose form `ek` has once its key is taken out; EK_TEMPLATE when none.
absl::StatusOr<EkTemplate> CheckEk(const Public& ek);

// `ek` is made from `key` by a template: the public area the certificate's key would have.
// EK_CERT_KEY_MISMATCH when the keys differ.
absl::Status CheckEkKey(const Public& ek, const crypto::PublicKey& certified);

// AK_ATTRIBUTES naming the bit, AK_NAME_ALG, AK_SCHEME, KEY_WEAK, KEY_TOO_LARGE. Exactly: fixedTPM,
// fixedParent, sensitiveDataOrigin, restricted, sign set; decrypt clear; a signing scheme with
// SHA-256 or longer. userWithAuth, adminWithPolicy (with a policy) and noDA are the agent's choice.
absl::Status CheckAk(const Public& ak);

// KEY_ATTRIBUTES naming the bit: the key must be usable only by policy (userWithAuth clear) and
// never leave its TPM. KEY_POLICY when its policy is not `auth_policy`.
absl::Status CheckIdentityKey(const Public& key, ByteView auth_policy);

Bytes AkTemplateBytes(bool ecc);  // P-256 ECDSA-SHA256, or RSA 2048 RSASSA-SHA256
Bytes SrkTemplateBytes();         // P-256
Bytes IdentityKeyTemplateBytes(ByteView auth_policy);  // P-256, attributes 0x00040432

}  // namespace bootgate::tpm2
