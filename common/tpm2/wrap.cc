#include "common/tpm2/wrap.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/crypto/kdf.h"
#include "common/crypto/key_agreement.h"
#include "common/crypto/random.h"

namespace bootgate::tpm2 {
namespace {

// What a wrapping is for; the TPM keeps the kinds apart by these labels, NUL included.
constexpr absl::string_view kIdentity("IDENTITY\0", 9);
constexpr absl::string_view kDuplicate("DUPLICATE\0", 10);

absl::string_view WithoutNul(absl::string_view label) { return label.substr(0, label.size() - 1); }

size_t DigestBits(const Public& parent) { return 8 * crypto::DigestSize(parent.name_alg); }

absl::Status CheckParent(const Public& parent) {
  if ((parent.attributes & attribute::kDecrypt) != 0 &&
      (parent.symmetric_bits == 128 || parent.symmetric_bits == 256)) {
    return absl::OkStatus();
  }
  return Malformed(Reason::kEkTemplate, "not a storage key with AES-128 or AES-256");
}

struct Seed {
  SecretBytes value;
  Bytes encrypted;  // contents of TPM2B_ENCRYPTED_SECRET
};

absl::StatusOr<Seed> SeedForRsa(const Public& parent, const crypto::PublicKey& key,
                                absl::string_view label, const FixedRandomness* fixed) {
  Seed out;
  out.value = fixed != nullptr ? SecretBytes(fixed->seed)
                               : crypto::RandomSecret(crypto::DigestSize(parent.name_alg));
  BG_ASSIGN_OR_RETURN(out.encrypted, crypto::RsaOaepEncrypt(key, parent.name_alg, AsBytes(label),
                                                            out.value.view()));
  return out;
}

Bytes Padded(ByteView number, size_t size) {
  Bytes out(size - std::min(size, number.size()));
  out.insert(out.end(), number.begin(), number.end());
  return out;
}

absl::StatusOr<Seed> SeedForEcc(const Public& parent, const crypto::PublicKey& key,
                                absl::string_view label, const FixedRandomness* fixed) {
  BG_ASSIGN_OR_RETURN(const crypto::Agreement agreed,
                      fixed != nullptr ? crypto::AgreeWithForTest(key, fixed->ephemeral_private)
                                       : crypto::AgreeWith(key));
  const Bytes own_x = Padded(parent.x, crypto::FieldSize(*parent.curve));
  Seed out;
  out.value = crypto::KdfE(parent.name_alg, agreed.z.view(), WithoutNul(label), agreed.x, own_x,
                           DigestBits(parent));
  out.encrypted = bytes::Writer().Sized16Be(agreed.x).Sized16Be(agreed.y).Finish();
  return out;
}

absl::StatusOr<Seed> MakeSeed(const Public& parent, absl::string_view label,
                              const FixedRandomness* fixed) {
  BG_RETURN_IF_ERROR(CheckParent(parent));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, parent.Key());
  return key.kind() == crypto::PublicKey::Kind::kRsa ? SeedForRsa(parent, key, label, fixed)
                                                     : SeedForEcc(parent, key, label, fixed);
}

// The outer wrap: 2B(HMAC(enc || name)) || enc, with both keys derived from the seed.
absl::StatusOr<Bytes> OuterWrap(const Public& parent, const Seed& seed, ByteView name,
                                ByteView plain) {
  const SecretBytes cipher_key =
      crypto::KdfA(parent.name_alg, seed.value.view(), "STORAGE", name, {}, parent.symmetric_bits);
  const SecretBytes mac_key =
      crypto::KdfA(parent.name_alg, seed.value.view(), "INTEGRITY", {}, {}, DigestBits(parent));
  BG_ASSIGN_OR_RETURN(const Bytes enc, crypto::AesCfbEncrypt(cipher_key.view(), plain));
  const crypto::Digest mac = crypto::Hmac(parent.name_alg, mac_key.view(), {enc, name});
  return bytes::Writer().Sized16Be(mac.view()).Raw(enc).Finish();
}

// A TPM2B of secret contents.
SecretBytes Sized(std::initializer_list<ByteView> parts) {
  size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  SecretBytes out(sizeof(uint16_t) + size);
  const std::span<uint8_t> all = out.mutable_view();
  all[0] = static_cast<uint8_t>(size >> 8);
  all[1] = static_cast<uint8_t>(size);
  auto to = all.begin() + sizeof(uint16_t);
  for (const ByteView part : parts) to = std::ranges::copy(part, to).out;
  return out;
}

absl::StatusOr<CredentialBlob> Credential(const Public& ek, ByteView name,
                                          const SecretBytes& credential,
                                          const FixedRandomness* fixed) {
  if (credential.size() > crypto::DigestSize(ek.name_alg)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a credential of ", credential.size(), " bytes"));
  }
  BG_ASSIGN_OR_RETURN(Seed seed, MakeSeed(ek, kIdentity, fixed));
  CredentialBlob out;
  BG_ASSIGN_OR_RETURN(out.id_object, OuterWrap(ek, seed, name, Sized({credential.view()}).view()));
  out.encrypted_secret = std::move(seed.encrypted);
  return out;
}

// TPMT_PUBLIC of a sealed object: noDA alone, so that nothing but the policy opens it.
Bytes SealedPublic(ByteView auth_policy, ByteView unique) {
  return bytes::Writer()
      .U16Be(static_cast<uint16_t>(Alg::kKeyedHash))
      .U16Be(static_cast<uint16_t>(crypto::HashAlg::kSha256))
      .U32Be(attribute::kNoDa)
      .Sized16Be(auth_policy)
      .U16Be(static_cast<uint16_t>(Alg::kNull))
      .Sized16Be(unique)
      .Finish();
}

// TPM2B_SENSITIVE: type, no password, seedValue, data.
SecretBytes Sensitive(ByteView obfuscation, ByteView data) {
  const Bytes head =
      bytes::Writer().U16Be(static_cast<uint16_t>(Alg::kKeyedHash)).U16Be(0).Finish();
  return Sized({head, Sized({obfuscation}).view(), Sized({data}).view()});
}

absl::StatusOr<ImportBlob> Seal(const Public& parent, ByteView auth_policy, const SecretBytes& data,
                                const FixedRandomness* fixed) {
  constexpr crypto::HashAlg kNameAlg = crypto::HashAlg::kSha256;
  if (auth_policy.size() != crypto::DigestSize(kNameAlg)) {
    return absl::InvalidArgumentError("a sealed object needs a SHA-256 policy digest");
  }
  if (data.size() > kMaxSealedData) {
    return absl::InvalidArgumentError(
        absl::StrCat(data.size(), " bytes to seal, at most ", kMaxSealedData));
  }
  const SecretBytes obfuscation = fixed != nullptr
                                      ? SecretBytes(fixed->obfuscation)
                                      : crypto::RandomSecret(crypto::DigestSize(kNameAlg));
  ImportBlob out;
  out.object_public =
      SealedPublic(auth_policy, crypto::Hash(kNameAlg, {obfuscation.view(), data.view()}).view());
  const Bytes name = bytes::Writer()
                         .U16Be(static_cast<uint16_t>(kNameAlg))
                         .Raw(crypto::Hash(kNameAlg, out.object_public).view())
                         .Finish();
  BG_ASSIGN_OR_RETURN(Seed seed, MakeSeed(parent, kDuplicate, fixed));
  const SecretBytes sensitive = Sensitive(obfuscation.view(), data.view());
  BG_ASSIGN_OR_RETURN(out.duplicate, OuterWrap(parent, seed, name, sensitive.view()));
  out.in_sym_seed = std::move(seed.encrypted);
  return out;
}

}  // namespace

absl::StatusOr<CredentialBlob> MakeCredential(const Public& ek, ByteView name,
                                              const SecretBytes& credential) {
  return Credential(ek, name, credential, nullptr);
}

absl::StatusOr<ImportBlob> SealForImport(const Public& parent, ByteView auth_policy,
                                         const SecretBytes& data) {
  return Seal(parent, auth_policy, data, nullptr);
}

absl::StatusOr<CredentialBlob> MakeCredentialForTest(const Public& ek, ByteView name,
                                                     const SecretBytes& credential,
                                                     const FixedRandomness& fixed) {
  return Credential(ek, name, credential, &fixed);
}

absl::StatusOr<ImportBlob> SealForImportForTest(const Public& parent, ByteView auth_policy,
                                                const SecretBytes& data,
                                                const FixedRandomness& fixed) {
  return Seal(parent, auth_policy, data, &fixed);
}

}  // namespace bootgate::tpm2
