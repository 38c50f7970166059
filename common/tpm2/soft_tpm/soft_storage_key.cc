#include "common/tpm2/soft_tpm/soft_storage_key.h"

#include <openssl/rsa.h>

#include <algorithm>
#include <string>

#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/crypto/kdf.h"
#include "common/tpm2/soft_tpm/public_area.h"

namespace bootgate::tpm2::soft_tpm {
namespace {

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::StatusOr<SecretBytes> OaepDecrypt(EVP_PKEY* key, crypto::HashAlg alg, absl::string_view label,
                                        ByteView cipher) {
  const crypto::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const EVP_MD* const md = EVP_get_digestbyname(std::string(crypto::Name(alg)).c_str());
  const std::string with_nul = std::string(label) + '\0';
  SecretBytes plain(static_cast<size_t>(EVP_PKEY_get_size(key)));
  size_t size = plain.size();
  if (EVP_PKEY_decrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), md) != 1 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), md) != 1 ||
      EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(),
                                       OPENSSL_memdup(with_nul.data(), with_nul.size()),
                                       static_cast<int>(with_nul.size())) != 1 ||
      EVP_PKEY_decrypt(context.get(), plain.mutable_view().data(), &size, cipher.data(),
                       cipher.size()) != 1) {
    return crypto::OpenSslError(absl::StatusCode::kInvalidArgument, "RSA-OAEP");
  }
  return SecretBytes(plain.view().first(size));
}

absl::StatusOr<SecretBytes> SharedX(EVP_PKEY* key, const crypto::PublicKey& peer, size_t field) {
  const crypto::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  SecretBytes z(field);
  size_t size = field;
  if (EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), z.mutable_view().data(), &size) != 1) {
    return crypto::OpenSslError(absl::StatusCode::kInvalidArgument, "ECDH");
  }
  return z;
}

// The inner wrap: CFB(inner key, 2B(H(sensitive || name)) || sensitive).
absl::StatusOr<SecretBytes> InnerUnwrap(const Public& object, ByteView key, ByteView wrapped) {
  BG_ASSIGN_OR_RETURN(const SecretBytes body, crypto::AesCfbDecrypt(key, wrapped));
  bytes::Reader in(body.view());
  BG_ASSIGN_OR_RETURN(const ByteView integrity, in.Sized16Be());
  const crypto::Digest expected = crypto::Hash(object.name_alg, {in.rest(), object.Name()});
  if (!SameBytes(expected.view(), integrity)) return Bad("inner integrity");
  return SecretBytes(in.rest());
}

}  // namespace

SoftStorageKey SoftStorageKey::MakeEk(EkTemplate which) {
  const Bytes tmpl = EkTemplateBytes(which);
  const Public form = Public::FromTpmt(tmpl).value();
  crypto::PrivateKey key = form.type == Alg::kRsa
                               ? crypto::PrivateKey::GenerateRsa(form.rsa_bits).value()
                               : crypto::PrivateKey::GenerateEc(*form.curve).value();
  Public area = AreaFromTemplate(tmpl, key.Public());
  return SoftStorageKey(std::move(key), std::move(area));
}

absl::StatusOr<SecretBytes> SoftStorageKey::OpenSeed(absl::string_view label,
                                                     ByteView encrypted) const {
  const crypto::HashAlg alg = area_.name_alg;
  if (area_.type == Alg::kRsa) return OaepDecrypt(key_.get(), alg, label, encrypted);
  bytes::Reader in(encrypted);
  BG_ASSIGN_OR_RETURN(const ByteView x, in.Sized16Be());
  BG_ASSIGN_OR_RETURN(const ByteView y, in.Sized16Be());
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey peer, crypto::PublicKey::FromEc(*area_.curve, x, y));
  BG_ASSIGN_OR_RETURN(const SecretBytes z,
                      SharedX(key_.get(), peer, crypto::FieldSize(*area_.curve)));
  return crypto::KdfE(alg, z.view(), label, x, area_.x, 8 * crypto::DigestSize(alg));
}

absl::StatusOr<SecretBytes> SoftStorageKey::OuterUnwrap(ByteView seed, ByteView name,
                                                        ByteView wrapped) const {
  const crypto::HashAlg alg = area_.name_alg;
  bytes::Reader in(wrapped);
  BG_ASSIGN_OR_RETURN(const ByteView mac, in.Sized16Be());
  const SecretBytes mac_key =
      crypto::KdfA(alg, seed, "INTEGRITY", {}, {}, 8 * crypto::DigestSize(alg));
  const crypto::Digest expected = crypto::Hmac(alg, mac_key.view(), {in.rest(), name});
  if (!SameBytes(expected.view(), mac)) return Bad("outer integrity");
  const SecretBytes key = crypto::KdfA(alg, seed, "STORAGE", name, {}, area_.symmetric_bits);
  return crypto::AesCfbDecrypt(key.view(), in.rest());
}

absl::StatusOr<SecretBytes> SoftStorageKey::ActivateCredential(const CredentialBlob& blob,
                                                               ByteView name) const {
  BG_ASSIGN_OR_RETURN(const SecretBytes seed, OpenSeed("IDENTITY", blob.encrypted_secret));
  BG_ASSIGN_OR_RETURN(const SecretBytes plain, OuterUnwrap(seed.view(), name, blob.id_object));
  bytes::Reader in(plain.view());
  BG_ASSIGN_OR_RETURN(const ByteView credential, in.Sized16Be());
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return SecretBytes(credential);
}

absl::StatusOr<SecretBytes> SoftStorageKey::Import(const ImportBlob& blob,
                                                   ByteView inner_key) const {
  BG_ASSIGN_OR_RETURN(const Public object, Public::FromTpmt(blob.object_public));
  BG_ASSIGN_OR_RETURN(const SecretBytes seed, OpenSeed("DUPLICATE", blob.in_sym_seed));
  BG_ASSIGN_OR_RETURN(SecretBytes body, OuterUnwrap(seed.view(), object.Name(), blob.duplicate));
  if (inner_key.empty()) return body;
  return InnerUnwrap(object, inner_key, body.view());
}

absl::StatusOr<SecretBytes> SoftStorageKey::Unseal(const ImportBlob& blob) const {
  BG_ASSIGN_OR_RETURN(const Public object, Public::FromTpmt(blob.object_public));
  BG_ASSIGN_OR_RETURN(const SecretBytes sized, Import(blob));
  bytes::Reader outer(sized.view());
  BG_ASSIGN_OR_RETURN(const ByteView sensitive, outer.Sized16Be());
  BG_RETURN_IF_ERROR(outer.ExpectEnd());
  bytes::Reader in(sensitive);
  BG_RETURN_IF_ERROR(in.Skip(sizeof(uint16_t)));  // the type
  BG_ASSIGN_OR_RETURN(const ByteView password, in.Sized16Be());
  BG_ASSIGN_OR_RETURN(const ByteView obfuscation, in.Sized16Be());
  BG_ASSIGN_OR_RETURN(const ByteView data, in.Sized16Be());
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  const crypto::Digest unique = crypto::Hash(object.name_alg, {obfuscation, data});
  if (!password.empty() || !SameBytes(unique.view(), object.keyed_hash_unique)) {
    return Bad("binding of public and sensitive part");
  }
  return SecretBytes(data);
}

}  // namespace bootgate::tpm2::soft_tpm
