#include "pki/file_key.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxKeyFile = 16384;       // bytes
constexpr int kPbkdf2Iterations = 600'000;  // a few tenths of a second, once per start
constexpr mode_t kSecretMode = 0600;
constexpr absl::string_view kEncryptedLabel = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, crypto::FreeWith<PKCS8_PRIV_KEY_INFO_free>>;
using SigPtr = std::unique_ptr<X509_SIG, crypto::FreeWith<X509_SIG_free>>;

absl::Status Locked(const std::string& path, absl::string_view what) {
  crypto::ClearOpenSslErrors();
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCaKey,
                absl::StrCat("file ", path, ": ", what));
}

int GivePassphrase(char* buffer, int size, int, void* passphrase) {
  const ByteView secret = static_cast<const SecretBytes*>(passphrase)->view();
  if (secret.size() > static_cast<size_t>(size)) return -1;
  std::copy(secret.begin(), secret.end(), buffer);
  return static_cast<int>(secret.size());
}

absl::StatusOr<crypto::PrivateKey> Decrypt(const std::string& path, const SecretBytes& pem,
                                           const SecretSource& source) {
  BG_ASSIGN_OR_RETURN(SecretBytes passphrase,
                      ReadSecret(source, absl::StrCat("passphrase of ", path)));
  const crypto::BioPtr in(BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.size())));
  const crypto::PkeyPtr key(
      PEM_read_bio_PrivateKey(in.get(), nullptr, GivePassphrase, &passphrase));
  if (key == nullptr) return Locked(path, "the passphrase is wrong, or it is no private key");
  const crypto::BioPtr plain(BIO_new(BIO_s_secmem()));
  char* text = nullptr;
  if (plain == nullptr || PEM_write_bio_PKCS8PrivateKey(plain.get(), key.get(), nullptr, nullptr, 0,
                                                        nullptr, nullptr) != 1) {
    return Locked(path, "cannot be decrypted");
  }
  const auto size = static_cast<size_t>(BIO_get_mem_data(plain.get(), &text));
  absl::StatusOr<crypto::PrivateKey> decrypted =
      crypto::PrivateKey::FromPem(absl::string_view(text, size));
  if (!decrypted.ok()) return Locked(path, decrypted.status().message());
  return decrypted;
}

absl::StatusOr<crypto::PrivateKey> Load(const std::string& path, const SecretSource& source) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Locked(path, "may be read by others; chmod 600 it");
  }
  BG_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(path, kMaxKeyFile));
  const SecretBytes pem((ByteView(bytes)));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (absl::StrContains(AsText(pem.view()), kEncryptedLabel)) {
    if (source.kind != SecretSource::Kind::kNone) return Decrypt(path, pem, source);
    return Locked(path, "is encrypted, and ca.toml names no source of its passphrase");
  }
  absl::StatusOr<crypto::PrivateKey> key = crypto::PrivateKey::FromPem(AsText(pem.view()));
  if (!key.ok()) return Locked(path, key.status().message());
  return key;
}

absl::StatusOr<Bytes> Encrypted(const crypto::PrivateKey& key, const SecretBytes& passphrase) {
  const Pkcs8Ptr plain(EVP_PKEY2PKCS8(key.get()));
  X509_ALGOR* const scheme = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), kPbkdf2Iterations, nullptr, 0,
                                               nullptr, NID_hmacWithSHA256);
  const absl::string_view secret = AsText(passphrase.view());
  const SigPtr closed(
      plain == nullptr || scheme == nullptr
          ? nullptr
          : PKCS8_set0_pbe(secret.data(), static_cast<int>(secret.size()), plain.get(), scheme));
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  if (closed == nullptr || PEM_write_bio_PKCS8(out.get(), closed.get()) != 1) {
    return crypto::OpenSslError(absl::StatusCode::kInternal, "encrypt a private key");
  }
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(out.get(), &text));
  return ToBytes(AsBytes(absl::string_view(text, size)));
}

std::shared_ptr<const KeyHolder> Held(crypto::PrivateKey key, const std::string& path) {
  return InMemory(std::make_shared<const crypto::PrivateKey>(std::move(key)),
                  absl::StrCat("file ", path));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeyHolder>> OpenFileKey(const std::string& path,
                                                             const SecretSource& passphrase,
                                                             const crypto::PublicKey& expected) {
  BG_ASSIGN_OR_RETURN(crypto::PrivateKey key, Load(path, passphrase));
  if (!(key.Public() == expected)) {
    return Locked(path, "is not the key of the certificate beside it");
  }
  return Held(std::move(key), path);
}

absl::Status WriteKeyFile(const std::string& path, const crypto::PrivateKey& key,
                          const SecretSource& passphrase) {
  if (FileExists(path)) return absl::AlreadyExistsError(absl::StrCat(path, " is already there"));
  if (passphrase.kind == SecretSource::Kind::kNone) {
    return WriteFileAtomically(path, key.Pem().view(), kSecretMode);
  }
  BG_ASSIGN_OR_RETURN(const SecretBytes secret,
                      ReadSecret(passphrase, absl::StrCat("new passphrase of ", path)));
  BG_ASSIGN_OR_RETURN(const Bytes pem, Encrypted(key, secret));
  return WriteFileAtomically(path, pem, kSecretMode);
}

absl::StatusOr<std::shared_ptr<const KeyHolder>> MakeFileKey(const std::string& path,
                                                             const SecretSource& passphrase,
                                                             crypto::Curve curve) {
  BG_ASSIGN_OR_RETURN(crypto::PrivateKey key, crypto::PrivateKey::GenerateEc(curve));
  BG_RETURN_IF_ERROR(WriteKeyFile(path, key, passphrase));
  return Held(std::move(key), path);
}

}  // namespace bootgate::pki
