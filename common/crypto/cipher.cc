#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/crypto/kdf.h"
#include "common/crypto/owners.h"
#include "common/crypto/random.h"

namespace bootgate::crypto {
namespace {

constexpr size_t kGcmNonce = 12;  // bytes
constexpr size_t kGcmTag = 16;    // bytes
constexpr size_t kGcmKey = 32;    // bytes
constexpr uint8_t kZeroIv[16] = {};
constexpr size_t kMaxMessage = size_t{1} << 30;  // bytes; OpenSSL counts with int

// Fetched once for the process: looking a cipher up costs more than using it on a short message.
const EVP_CIPHER* Fetched(const char* name) {
  const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, name, nullptr);
  if (cipher == nullptr) std::abort();  // the default provider is missing: nothing can work
  return cipher;
}

const EVP_CIPHER* CfbCipher(size_t key_size) {
  static const EVP_CIPHER* const aes128 = Fetched("AES-128-CFB");
  static const EVP_CIPHER* const aes256 = Fetched("AES-256-CFB");
  return key_size == 16 ? aes128 : key_size == 32 ? aes256 : nullptr;
}

const EVP_CIPHER* GcmCipher() {
  static const EVP_CIPHER* const cipher = Fetched("AES-256-GCM");
  return cipher;
}

absl::Status Failed(absl::string_view doing) {
  return OpenSslError(absl::StatusCode::kInternal, doing);
}

enum class Direction : int { kDecrypt = 0, kEncrypt = 1 };

absl::Status Cfb(Direction direction, ByteView key, ByteView in, std::span<uint8_t> out) {
  const EVP_CIPHER* const cipher = CfbCipher(key.size());
  if (cipher == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("an AES key of ", key.size(), " bytes"));
  }
  if (in.size() > kMaxMessage) return absl::InvalidArgumentError("message too long");
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (context == nullptr ||
      EVP_CipherInit_ex2(context.get(), cipher, key.data(), kZeroIv, static_cast<int>(direction),
                         nullptr) != 1 ||
      EVP_CipherUpdate(context.get(), out.data(), &size, in.data(), static_cast<int>(in.size())) !=
          1) {
    return Failed("AES-CFB");
  }
  return absl::OkStatus();
}

// A GCM operation with key, nonce and associated data taken in; nullptr when OpenSSL refuses.
CipherCtxPtr StartGcm(Direction direction, ByteView key, ByteView nonce, ByteView associated) {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (context == nullptr || EVP_CipherInit_ex2(context.get(), GcmCipher(), key.data(), nonce.data(),
                                               static_cast<int>(direction), nullptr) != 1) {
    return nullptr;
  }
  if (!associated.empty() && EVP_CipherUpdate(context.get(), nullptr, &size, associated.data(),
                                              static_cast<int>(associated.size())) != 1) {
    return nullptr;
  }
  return context;
}

absl::Status CheckGcmSizes(ByteView key, ByteView message, ByteView associated) {
  if (key.size() != kGcmKey) {
    return absl::InvalidArgumentError(absl::StrCat("an AES-256-GCM key of ", key.size(), " bytes"));
  }
  if (message.size() > kMaxMessage || associated.size() > kMaxMessage) {
    return absl::InvalidArgumentError("message too long");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Bytes> AesCfbEncrypt(ByteView key, ByteView plain) {
  Bytes out(plain.size());
  BG_RETURN_IF_ERROR(Cfb(Direction::kEncrypt, key, plain, out));
  return out;
}

absl::StatusOr<SecretBytes> AesCfbDecrypt(ByteView key, ByteView cipher) {
  SecretBytes out(cipher.size());
  BG_RETURN_IF_ERROR(Cfb(Direction::kDecrypt, key, cipher, out.mutable_view()));
  return out;
}

absl::StatusOr<Bytes> AeadSeal(ByteView key, ByteView plain, ByteView associated) {
  BG_RETURN_IF_ERROR(CheckGcmSizes(key, plain, associated));
  Bytes sealed = RandomBytes(kGcmNonce);
  sealed.resize(kGcmNonce + plain.size() + kGcmTag);
  const std::span<uint8_t> out(sealed);
  const CipherCtxPtr context = StartGcm(Direction::kEncrypt, key, out.first(kGcmNonce), associated);
  int size = 0;
  uint8_t* const body = out.subspan(kGcmNonce).data();
  uint8_t* const tag = out.last(kGcmTag).data();
  if (context == nullptr ||
      EVP_CipherUpdate(context.get(), body, &size, plain.data(), static_cast<int>(plain.size())) !=
          1 ||
      EVP_CipherFinal_ex(context.get(), tag, &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTag, tag) != 1) {
    return Failed("AES-GCM");
  }
  return sealed;
}

absl::StatusOr<SecretBytes> AeadOpen(ByteView key, ByteView sealed, ByteView associated) {
  BG_RETURN_IF_ERROR(CheckGcmSizes(key, sealed, associated));
  if (sealed.size() < kGcmNonce + kGcmTag) {
    return absl::InvalidArgumentError("sealed bytes shorter than nonce and tag");
  }
  const ByteView body = sealed.subspan(kGcmNonce, sealed.size() - kGcmNonce - kGcmTag);
  std::array<uint8_t, kGcmTag> tag;
  std::ranges::copy(sealed.last(kGcmTag), tag.begin());
  const CipherCtxPtr context =
      StartGcm(Direction::kDecrypt, key, sealed.first(kGcmNonce), associated);
  SecretBytes plain(body.size());
  int size = 0;
  uint8_t none[1];
  if (context == nullptr ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTag, tag.data()) != 1 ||
      EVP_CipherUpdate(context.get(), plain.mutable_view().data(), &size, body.data(),
                       static_cast<int>(body.size())) != 1) {
    return Failed("AES-GCM");
  }
  if (EVP_CipherFinal_ex(context.get(), none, &size) != 1) {
    ClearOpenSslErrors();
    return absl::UnauthenticatedError("the sealed bytes do not open under this key");
  }
  return plain;
}

}  // namespace bootgate::crypto
