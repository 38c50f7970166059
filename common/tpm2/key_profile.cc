#include "common/tpm2/key_profile.h"

#include <algorithm>
#include <cstdlib>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/crypto/key_strength.h"
#include "common/tpm2/policy_digest.h"

namespace bootgate::tpm2 {
namespace {

using bytes::Writer;
using crypto::HashAlg;

constexpr size_t kP256Field = 32;    // bytes
constexpr uint16_t kRsa2048 = 2048;  // bits
constexpr size_t kRsa2048Modulus = kRsa2048 / 8;

constexpr uint32_t kStays =
    attribute::kFixedTpm | attribute::kFixedParent | attribute::kSensitiveDataOrigin;
constexpr uint32_t kStorage = kStays | attribute::kRestricted | attribute::kDecrypt;
constexpr uint32_t kEkLow = kStorage | attribute::kAdminWithPolicy;
constexpr uint32_t kEkHigh = kEkLow | attribute::kUserWithAuth;
constexpr uint32_t kSrk = kStorage | attribute::kUserWithAuth | attribute::kNoDa;
constexpr uint32_t kAk = kStays | attribute::kUserWithAuth | attribute::kNoDa |
                         attribute::kRestricted | attribute::kSign;
constexpr uint32_t kIdentity = kStays | attribute::kNoDa | attribute::kSign;

enum class Range { kLow, kHigh };

struct EkRow {
  EkTemplate which;
  absl::string_view name;
  uint32_t nv_index;
  Range range;
  HashAlg name_alg;
  uint16_t aes_bits;
  std::variant<uint16_t, crypto::Curve> key;  // bits of RSA, or a curve
};

// clang-format off
constexpr EkRow kEks[] = {
    {EkTemplate::kRsa2048Low,  "rsa2048-low (L-1)",  0x01c00002, Range::kLow,  HashAlg::kSha256, 128, kRsa2048},
    {EkTemplate::kP256Low,     "p256-low (L-2)",     0x01c0000a, Range::kLow,  HashAlg::kSha256, 128, crypto::Curve::kP256},
    {EkTemplate::kRsa2048High, "rsa2048-high (H-1)", 0x01c00012, Range::kHigh, HashAlg::kSha256, 128, kRsa2048},
    {EkTemplate::kP256High,    "p256-high (H-2)",    0x01c00014, Range::kHigh, HashAlg::kSha256, 128, crypto::Curve::kP256},
    {EkTemplate::kP384High,    "p384-high (H-3)",    0x01c00016, Range::kHigh, HashAlg::kSha384, 256, crypto::Curve::kP384},
    {EkTemplate::kP521High,    "p521-high (H-4)",    0x01c00018, Range::kHigh, HashAlg::kSha512, 256, crypto::Curve::kP521},
    {EkTemplate::kRsa3072High, "rsa3072-high (H-6)", 0x01c0001c, Range::kHigh, HashAlg::kSha384, 256, uint16_t{3072}},
    {EkTemplate::kRsa4096High, "rsa4096-high (H-7)", 0x01c0001e, Range::kHigh, HashAlg::kSha384, 256, uint16_t{4096}},
};
// clang-format on

const EkRow& RowOf(EkTemplate which) {
  for (const EkRow& row : kEks) {
    if (row.which == which) return row;
  }
  std::abort();  // an enum value that is none: a bug of ours
}

Writer Head(Alg type, HashAlg name_alg, uint32_t attributes, ByteView policy) {
  Writer out;
  out.U16Be(static_cast<uint16_t>(type)).U16Be(static_cast<uint16_t>(name_alg)).U32Be(attributes);
  out.Sized16Be(policy);
  return out;
}

void Aes(Writer& out, uint16_t bits) {
  out.U16Be(static_cast<uint16_t>(Alg::kAes)).U16Be(bits).U16Be(static_cast<uint16_t>(Alg::kCfb));
}
void None(Writer& out) { out.U16Be(static_cast<uint16_t>(Alg::kNull)); }
void Scheme(Writer& out, Alg scheme) {
  out.U16Be(static_cast<uint16_t>(scheme)).U16Be(static_cast<uint16_t>(HashAlg::kSha256));
}

// keyBits, exponent, unique; the low range fills `unique` with zeros, the high range leaves it
// empty.
void RsaTail(Writer& out, uint16_t bits, size_t unique) {
  out.U16Be(bits).U32Be(0).Sized16Be(Bytes(unique));
}
// curve, no KDF, unique.
void EccTail(Writer& out, crypto::Curve curve, size_t unique) {
  out.U16Be(static_cast<uint16_t>(curve));
  None(out);
  out.Sized16Be(Bytes(unique)).Sized16Be(Bytes(unique));
}

struct BitName {
  uint32_t bit;
  absl::string_view name;
};
constexpr BitName kBits[] = {
    {attribute::kFixedTpm, "fixedTPM"},
    {attribute::kStClear, "stClear"},
    {attribute::kFixedParent, "fixedParent"},
    {attribute::kSensitiveDataOrigin, "sensitiveDataOrigin"},
    {attribute::kUserWithAuth, "userWithAuth"},
    {attribute::kAdminWithPolicy, "adminWithPolicy"},
    {attribute::kNoDa, "noDA"},
    {attribute::kEncryptedDuplication, "encryptedDuplication"},
    {attribute::kRestricted, "restricted"},
    {attribute::kDecrypt, "decrypt"},
    {attribute::kSign, "sign"},
};

std::string BitNames(uint32_t bits) {
  std::string out;
  for (uint32_t i = 0; i < 32; ++i) {
    const uint32_t bit = bits & (1u << i);
    if (bit == 0) continue;
    const auto known =
        std::ranges::find_if(kBits, [bit](const BitName& b) { return b.bit == bit; });
    absl::StrAppend(
        &out, out.empty() ? "" : ", ",
        known == std::end(kBits) ? absl::StrCat("reserved bit ", i) : std::string(known->name));
  }
  return out;
}

// Every bit of `required` set, and none outside `required` and `optional`.
absl::Status CheckBits(uint32_t attributes, uint32_t required, uint32_t optional, Reason reason) {
  const uint32_t lacking = required & ~attributes;
  const uint32_t surplus = attributes & ~(required | optional);
  if (lacking != 0) return NotPermitted(reason, absl::StrCat("lacks ", BitNames(lacking)));
  if (surplus != 0) return NotPermitted(reason, absl::StrCat("has ", BitNames(surplus)));
  return absl::OkStatus();
}

bool IsStrong(HashAlg alg) {
  return alg == HashAlg::kSha256 || alg == HashAlg::kSha384 || alg == HashAlg::kSha512;
}

bool IsSigningScheme(Alg scheme) {
  return scheme == Alg::kRsassa || scheme == Alg::kRsapss || scheme == Alg::kEcdsa;
}

bool HasKey(const Public& area) { return !area.rsa_modulus.empty() || !area.x.empty(); }

}  // namespace

Bytes EkTemplateBytes(EkTemplate which) {
  const EkRow& row = RowOf(which);
  const bool low = row.range == Range::kLow;
  const crypto::Digest policy = low ? EkPolicyA(row.name_alg) : EkPolicyB(row.name_alg);
  const auto* const curve = std::get_if<crypto::Curve>(&row.key);
  Writer out = Head(curve != nullptr ? Alg::kEcc : Alg::kRsa, row.name_alg, low ? kEkLow : kEkHigh,
                    policy.view());
  Aes(out, row.aes_bits);
  None(out);
  if (curve != nullptr) {
    EccTail(out, *curve, low ? kP256Field : 0);
  } else {
    RsaTail(out, std::get<uint16_t>(row.key), low ? kRsa2048Modulus : 0);
  }
  return out.Finish();
}

absl::string_view Name(EkTemplate which) { return RowOf(which).name; }
uint32_t CertificateNvIndex(EkTemplate which) { return RowOf(which).nv_index; }
bool IsEcc(EkTemplate which) { return std::holds_alternative<crypto::Curve>(RowOf(which).key); }
bool IsLowRange(EkTemplate which) { return RowOf(which).range == Range::kLow; }
crypto::HashAlg NameAlgOf(EkTemplate which) { return RowOf(which).name_alg; }

absl::StatusOr<EkTemplate> CheckEk(const Public& ek) {
  for (const EkRow& row : kEks) {
    BG_ASSIGN_OR_RETURN(const Public form, Public::FromTpmt(EkTemplateBytes(row.which)));
    if (!SameBytes(form.WithoutUnique(), ek.WithoutUnique())) continue;
    if (!HasKey(ek)) return NotPermitted(Reason::kEkTemplate, "a template without a key");
    BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ek.Key());
    BG_RETURN_IF_ERROR(crypto::CheckStrength(key));
    return row.which;
  }
  return NotPermitted(Reason::kEkTemplate, "the public area is that of no default EK template");
}

absl::Status CheckEkKey(const Public& ek, const crypto::PublicKey& certified) {
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ek.Key());
  if (key == certified) return absl::OkStatus();
  return NotAuthentic(Reason::kEkCertKeyMismatch, "the certificate is for another key than the EK");
}

absl::Status CheckAk(const Public& ak) {
  constexpr uint32_t kRequired = kStays | attribute::kRestricted | attribute::kSign;
  constexpr uint32_t kOptional =
      attribute::kUserWithAuth | attribute::kAdminWithPolicy | attribute::kNoDa;
  BG_RETURN_IF_ERROR(CheckBits(ak.attributes, kRequired, kOptional, Reason::kAkAttributes));
  if ((ak.attributes & attribute::kAdminWithPolicy) != 0 && ak.auth_policy.empty()) {
    return NotPermitted(Reason::kAkAttributes, "has adminWithPolicy without a policy");
  }
  if (!IsStrong(ak.name_alg)) {
    return NotPermitted(Reason::kAkNameAlg,
                        absl::StrCat("name algorithm ", crypto::Name(ak.name_alg)));
  }
  if (!IsSigningScheme(ak.scheme) || !ak.scheme_hash.has_value() || !IsStrong(*ak.scheme_hash)) {
    return NotPermitted(Reason::kAkScheme, "not RSASSA, RSAPSS or ECDSA with SHA-256 or longer");
  }
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ak.Key());
  return crypto::CheckStrength(key);
}

absl::Status CheckIdentityKey(const Public& key, ByteView auth_policy) {
  constexpr uint32_t kRequired = kStays | attribute::kSign;
  constexpr uint32_t kOptional = attribute::kAdminWithPolicy | attribute::kNoDa;
  BG_RETURN_IF_ERROR(CheckBits(key.attributes, kRequired, kOptional, Reason::kKeyAttributes));
  if (!IsStrong(key.name_alg)) {
    return NotPermitted(Reason::kKeyAttributes,
                        absl::StrCat("has name algorithm ", crypto::Name(key.name_alg)));
  }
  if (auth_policy.empty() || !SameBytes(key.auth_policy, auth_policy)) {
    return NotPermitted(Reason::kKeyPolicy,
                        "the key's policy is not that of the attested registers");
  }
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey public_key, key.Key());
  return crypto::CheckStrength(public_key);
}

Bytes AkTemplateBytes(bool ecc) {
  Writer out = Head(ecc ? Alg::kEcc : Alg::kRsa, HashAlg::kSha256, kAk, {});
  None(out);
  Scheme(out, ecc ? Alg::kEcdsa : Alg::kRsassa);
  if (ecc) {
    EccTail(out, crypto::Curve::kP256, 0);
  } else {
    RsaTail(out, kRsa2048, 0);
  }
  return out.Finish();
}

Bytes SrkTemplateBytes() {
  Writer out = Head(Alg::kEcc, HashAlg::kSha256, kSrk, {});
  Aes(out, 128);
  None(out);
  EccTail(out, crypto::Curve::kP256, kP256Field);
  return out.Finish();
}

Bytes IdentityKeyTemplateBytes(ByteView auth_policy) {
  Writer out = Head(Alg::kEcc, HashAlg::kSha256, kIdentity, auth_policy);
  None(out);
  None(out);
  EccTail(out, crypto::Curve::kP256, 0);
  return out.Finish();
}

}  // namespace bootgate::tpm2
