#include "common/crypto/private_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::crypto {
namespace {

constexpr size_t kMaxPemBytes = 16 * 1024;  // RSA 4096 needs 3.3 KB

// An encrypted file must fail, not ask at the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

absl::Status Failed(absl::string_view doing) {
  return OpenSslError(absl::StatusCode::kInternal, doing);
}

absl::StatusOr<PublicKey> PublicOf(EVP_PKEY* key) {
  const int size = i2d_PUBKEY(key, nullptr);
  if (size <= 0) return Failed("public half of a private key");
  Bytes der(static_cast<size_t>(size));
  uint8_t* out = der.data();
  i2d_PUBKEY(key, &out);
  return PublicKey::FromSpkiDer(der);
}

// The same of a key known to be on that curve: without its SubjectPublicKeyInfo, which takes
// OpenSSL longer to write than the key to make.
absl::StatusOr<PublicKey> PublicOf(EVP_PKEY* key, Curve curve) {
  constexpr size_t kMaxPoint = 1 + 2 * 66;  // uncompressed, P-521
  const size_t field = FieldSize(curve);
  std::array<uint8_t, kMaxPoint> buffer;
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, buffer.data(), buffer.size(),
                                      &size) != 1 ||
      size != 1 + 2 * field || buffer[0] != POINT_CONVERSION_UNCOMPRESSED) {
    return Failed("public half of a private key");
  }
  const ByteView point = ByteView(buffer).first(size);
  return PublicKey::FromEc(curve, point.subspan(1, field), point.subspan(1 + field));
}

PkeyCtxPtr SignContext(EVP_PKEY* key) {
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context != nullptr && EVP_PKEY_sign_init(context.get()) != 1) context.reset();
  return context;
}

bool SetRsa(EVP_PKEY_CTX* context, SignatureScheme scheme, HashAlg alg) {
  const bool pss = scheme == SignatureScheme::kRsapss;
  const EVP_MD* const md = EVP_get_digestbyname(std::string(Name(alg)).c_str());
  return EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) ==
             1 &&
         md != nullptr && EVP_PKEY_CTX_set_signature_md(context, md) == 1 &&
         (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

}  // namespace

absl::StatusOr<PrivateKey> PrivateKey::Own(PkeyPtr key) {
  BG_ASSIGN_OR_RETURN(PublicKey half, PublicOf(key.get()));
  return Own(std::move(key), std::move(half));
}

absl::StatusOr<PrivateKey> PrivateKey::Own(PkeyPtr key, PublicKey half) {
  PkeyCtxPtr ecdsa;
  if (half.kind() == PublicKey::Kind::kEc) {
    ecdsa = SignContext(key.get());
    if (ecdsa == nullptr) return Failed("set up signing");
  }
  return PrivateKey(std::move(key), std::move(half), std::move(ecdsa));
}

absl::StatusOr<PrivateKey> PrivateKey::GenerateEc(Curve curve) {
  PkeyPtr key(EVP_EC_gen(GroupName(curve)));
  if (key == nullptr) return Failed("generate an EC key");
  BG_ASSIGN_OR_RETURN(PublicKey half, PublicOf(key.get(), curve));
  return Own(std::move(key), std::move(half));
}

absl::StatusOr<PrivateKey> PrivateKey::GenerateRsa(int bits) {
  if (bits < 2048) return Malformed(Reason::kKeyWeak, absl::StrCat("RSA key of ", bits, " bits"));
  if (bits > 4096)
    return Malformed(Reason::kKeyTooLarge, absl::StrCat("RSA key of ", bits, " bits"));
  PkeyPtr key(EVP_RSA_gen(static_cast<unsigned int>(bits)));
  if (key == nullptr) return Failed("generate an RSA key");
  return Own(std::move(key));
}

absl::StatusOr<PrivateKey> PrivateKey::FromPem(absl::string_view pem) {
  if (pem.size() > kMaxPemBytes) return absl::InvalidArgumentError("PEM text longer than 16 KiB");
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (in == nullptr) return Failed("read a private key");
  PkeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) {
    return OpenSslError(absl::StatusCode::kInvalidArgument,
                        "not an unencrypted private key in PEM");
  }
  return Own(std::move(key));
}

SecretBytes PrivateKey::Pem() const {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  char* text = nullptr;
  if (out == nullptr || PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0,
                                                      nullptr, nullptr) != 1) {
    std::abort();  // out of memory: every key that we hold can be written
  }
  const long size =
      BIO_get_mem_data(out.get(), &text);  // NOLINT(google-runtime-int): OpenSSL's type
  return SecretBytes(AsBytes(absl::string_view(text, static_cast<size_t>(size))));
}

absl::StatusOr<Bytes> PrivateKey::Sign(SignatureScheme scheme, const Digest& digest) const {
  if ((scheme == SignatureScheme::kEcdsa) != (public_.kind() == PublicKey::Kind::kEc)) {
    return absl::InvalidArgumentError("the scheme does not fit the kind of key");
  }
  const bool ecdsa = scheme == SignatureScheme::kEcdsa;
  const PkeyCtxPtr context =
      ecdsa ? PkeyCtxPtr(EVP_PKEY_CTX_dup(ecdsa_.get())) : SignContext(key_.get());
  if (context == nullptr || (!ecdsa && !SetRsa(context.get(), scheme, digest.alg()))) {
    return Failed("sign");
  }
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key_.get())));
  size_t size = signature.size();
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.view().data(), digest.size()) !=
      1) {
    return Failed("sign");
  }
  signature.resize(size);
  return signature;
}

}  // namespace bootgate::crypto
