#include "common/crypto/hash_chain.h"

// As in hash.cc: EVP costs more than the hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <endian.h>
#include <openssl/sha.h>
#include <string.h>

namespace bootgate::crypto {
namespace {

constexpr size_t kSha256Message =
    2 * SHA256_DIGEST_LENGTH;  // bytes: one block; the next is padding
constexpr size_t kSha256Bits = 8 * kSha256Message;

}  // namespace

HashChain::HashChain(const Digest& start) : alg_(start.alg()) {
  std::ranges::copy(start.view(), message_.begin());
  if (alg_ != HashAlg::kSha256) return;
  message_[kSha256Message] = 0x80;  // FIPS 180-4, 5.1.1
  message_[message_.size() - 2] = static_cast<uint8_t>(kSha256Bits >> 8);
  message_[message_.size() - 1] = static_cast<uint8_t>(kSha256Bits);
}

void HashChain::Step() {
  if (alg_ != HashAlg::kSha256) {
    const Digest next = Hash(alg_, ByteView(message_).first(2 * DigestSize(alg_)));
    std::ranges::copy(next.view(), message_.begin());
    return;
  }
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, message_.data(), message_.size());
  for (size_t i = 0; i < std::size(context.h); ++i) {
    const uint32_t word = htobe32(context.h[i]);
    memcpy(message_.data() + i * sizeof word, &word, sizeof word);
  }
}

Digest HashChain::value() const {
  Digest value(alg_);
  std::ranges::copy(ByteView(message_).first(DigestSize(alg_)), value.mutable_view().begin());
  return value;
}

}  // namespace bootgate::crypto
