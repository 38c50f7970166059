#include "pki/tpm_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include <mutex>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxKeyFile = 16384;  // bytes
constexpr char kProvider[] = "tpm2", kQuery[] = "?provider=tpm2", kOnlyTpm[] = "provider=tpm2";
constexpr mode_t kSecretMode = 0600;

using ContextPtr = std::unique_ptr<OSSL_LIB_CTX, crypto::FreeWith<OSSL_LIB_CTX_free>>;
using ProviderPtr = std::unique_ptr<OSSL_PROVIDER, crypto::FreeWith<OSSL_PROVIDER_unload>>;
using StoreInfoPtr = std::unique_ptr<OSSL_STORE_INFO, crypto::FreeWith<OSSL_STORE_INFO_free>>;
using StorePtr = std::unique_ptr<OSSL_STORE_CTX, crypto::FreeWith<OSSL_STORE_close>>;

absl::Status Failed(absl::string_view doing) {
  return crypto::OpenSslError(absl::StatusCode::kUnavailable, doing);
}

absl::Status KeyError(const std::string& where, const absl::Status& cause) {
  return Refuse(absl::StatusCode::kUnavailable, Reason::kCaKey,
                absl::StrCat("TPM key ", where, ": ", cause.message()));
}

// The provider and a key of it; members are destroyed in reverse.
struct Loaded {
  ContextPtr context;
  ProviderPtr base, tpm;
  crypto::PkeyPtr key;
};

absl::StatusOr<Loaded> LoadProvider() {
  Loaded loaded;
  loaded.context.reset(OSSL_LIB_CTX_new());
  loaded.base.reset(OSSL_PROVIDER_load(loaded.context.get(), "default"));
  loaded.tpm.reset(OSSL_PROVIDER_load(loaded.context.get(), kProvider));
  if (loaded.base == nullptr || loaded.tpm == nullptr) {
    return Failed("OpenSSL's provider tpm2 does not load (package tpm2-openssl, TPM2OPENSSL_TCTI)");
  }
  return loaded;
}

absl::StatusOr<crypto::PkeyPtr> KeyAtHandle(OSSL_LIB_CTX* context, const std::string& handle) {
  const StorePtr store(OSSL_STORE_open_ex(handle.c_str(), context, kQuery, nullptr, nullptr,
                                          nullptr, nullptr, nullptr));
  while (store != nullptr && OSSL_STORE_eof(store.get()) == 0) {
    const StoreInfoPtr info(OSSL_STORE_load(store.get()));
    if (info == nullptr) break;
    if (OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PKEY) {
      return crypto::PkeyPtr(OSSL_STORE_INFO_get1_PKEY(info.get()));
    }
  }
  return Failed("no key at this handle");
}

absl::StatusOr<crypto::PkeyPtr> KeyInFile(OSSL_LIB_CTX* context, const std::string& path) {
  BG_ASSIGN_OR_RETURN(const Bytes pem, ReadFile(path, kMaxKeyFile));
  const crypto::BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  crypto::PkeyPtr key(
      PEM_read_bio_PrivateKey_ex(in.get(), nullptr, nullptr, nullptr, context, kQuery));
  if (key == nullptr) return Failed("the TPM does not take the key");
  return key;
}

absl::StatusOr<crypto::PublicKey> PublicOf(EVP_PKEY* key) {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return Failed("public half");
  const std::unique_ptr<uint8_t, crypto::FreeWith<[](uint8_t* p) { OPENSSL_free(p); }>> owned(der);
  return crypto::PublicKey::FromSpkiDer({der, static_cast<size_t>(size)});
}

class TpmKey final : public KeyHolder {
 public:
  TpmKey(std::string where, crypto::PublicKey key)
      : where_(std::move(where)), key_(std::move(key)) {}

  const crypto::PublicKey& Public() const override { return key_; }
  std::string Describe() const override { return absl::StrCat("TPM key ", where_); }

  absl::StatusOr<Bytes> Sign(const crypto::Digest& digest) const override {
    const std::lock_guard lock(mutex_);
    const bool was_open = loaded_.has_value();
    absl::StatusOr<Bytes> signature = TrySign(digest);
    if (!signature.ok() && was_open) signature = TrySign(digest);
    if (!signature.ok()) return KeyError(where_, signature.status());
    return signature;
  }

 private:
  absl::StatusOr<Bytes> TrySign(const crypto::Digest& digest) const {
    if (!loaded_.has_value()) {
      BG_ASSIGN_OR_RETURN(Loaded loaded, LoadProvider());
      BG_ASSIGN_OR_RETURN(loaded.key, absl::StartsWith(where_, kTpmHandlePrefix)
                                          ? KeyAtHandle(loaded.context.get(), where_)
                                          : KeyInFile(loaded.context.get(), where_));
      loaded_ = std::move(loaded);
    }
    absl::StatusOr<Bytes> signature = SignHere(digest);
    // One hash to sign, so one check more: a TPM that was exchanged has other keys.
    if (signature.ok() && !key_.Verify(crypto::SignatureScheme::kEcdsa, digest, *signature).ok()) {
      signature = absl::FailedPreconditionError("it is not the key of the certificate");
    }
    if (!signature.ok()) loaded_.reset();
    return signature;
  }

  absl::StatusOr<Bytes> SignHere(const crypto::Digest& digest) const {
    const crypto::PkeyCtxPtr context(
        EVP_PKEY_CTX_new_from_pkey(loaded_->context.get(), loaded_->key.get(), kQuery));
    const EVP_MD* const md = EVP_get_digestbyname(std::string(Name(digest.alg())).c_str());
    Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(loaded_->key.get())));
    size_t size = signature.size();
    if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_signature_md(context.get(), md) != 1 ||
        EVP_PKEY_sign(context.get(), signature.data(), &size, digest.view().data(),
                      digest.size()) != 1) {
      return Failed("the TPM does not sign");
    }
    signature.resize(size);
    return signature;
  }

  const std::string where_;
  const crypto::PublicKey key_;
  mutable std::mutex mutex_;
  mutable std::optional<Loaded> loaded_;  // under mutex_
};

absl::StatusOr<crypto::PublicKey> Generate(const std::string& path, crypto::Curve curve) {
  BG_ASSIGN_OR_RETURN(const Loaded loaded, LoadProvider());
  const crypto::PkeyPtr key(EVP_PKEY_Q_keygen(loaded.context.get(), kOnlyTpm, "EC",
                                              const_cast<char*>(crypto::GroupName(curve))));
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  if (key == nullptr ||
      PEM_write_bio_PrivateKey_ex(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr,
                                  loaded.context.get(), kOnlyTpm) != 1) {
    return Failed("the TPM makes no key");
  }
  BG_ASSIGN_OR_RETURN(crypto::PublicKey half, PublicOf(key.get()));
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(out.get(), &text));
  BG_RETURN_IF_ERROR(
      WriteFileAtomically(path, AsBytes(absl::string_view(text, size)), kSecretMode));
  return half;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeyHolder>> OpenTpmKey(const std::string& where,
                                                            const crypto::PublicKey& expected) {
  return std::make_shared<const TpmKey>(where, expected);
}

absl::StatusOr<std::shared_ptr<const KeyHolder>> MakeTpmKey(const std::string& path,
                                                            crypto::Curve curve) {
  if (FileExists(path)) return absl::AlreadyExistsError(absl::StrCat(path, " is already there"));
  absl::StatusOr<crypto::PublicKey> made = Generate(path, curve);
  if (!made.ok()) return KeyError(path, made.status());
  return OpenTpmKey(path, *std::move(made));
}

}  // namespace bootgate::pki
