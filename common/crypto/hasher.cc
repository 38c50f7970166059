#include "common/crypto/hasher.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace bootgate::crypto {
namespace {

const EVP_MD* MdOf(HashAlg alg) {
  switch (alg) {
    case HashAlg::kSha1:
      return EVP_sha1();
    case HashAlg::kSha256:
      return EVP_sha256();
    case HashAlg::kSha384:
      return EVP_sha384();
    case HashAlg::kSha512:
      return EVP_sha512();
    case HashAlg::kSm3_256:
      return EVP_sm3();
  }
  std::abort();  // an enum value that is none: a bug of ours
}

}  // namespace

Hasher::Hasher(HashAlg alg) : alg_(alg), context_(EVP_MD_CTX_new()) { Begin(); }

// Without memory or without the default provider nothing can work.
void Hasher::Begin() {
  if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), MdOf(alg_), nullptr) != 1) {
    std::abort();
  }
}

void Hasher::Add(ByteView bytes) {
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) std::abort();
}

Digest Hasher::Finish() {
  Digest digest(alg_);
  if (EVP_DigestFinal_ex(context_.get(), digest.mutable_view().data(), nullptr) != 1) std::abort();
  Begin();
  return digest;
}

}  // namespace bootgate::crypto
