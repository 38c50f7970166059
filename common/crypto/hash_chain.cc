#include "common/crypto/hash_chain.h"

// As in hash.cc: EVP costs more than the hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <endian.h>
#include <openssl/sha.h>
#include <string.h>

#include <algorithm>

namespace bootgate::crypto {
namespace {

constexpr size_t kSha256Message =
    2 * SHA256_DIGEST_LENGTH;  // bytes: one block; the next is padding
constexpr size_t kSha256Bits = 8 * kSha256Message;
constexpr size_t kSha256Block = 64;   // bytes
constexpr size_t kSha256Padding = 9;  // bytes at least: 0x80 and the length

// Of whole blocks, the padding in them.
void HashBlocks(ByteView blocks, uint8_t* out) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, blocks.data(), blocks.size());
  for (size_t i = 0; i < std::size(context.h); ++i) {
    const uint32_t word = htobe32(context.h[i]);
    memcpy(out + i * sizeof word, &word, sizeof word);
  }
}

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
  HashBlocks(message_, message_.data());
}

// A short message with its padding, all blocks in one call (hash.cc), and no secret: nothing is
// wiped.
void HashChain::ExtendWithHashOf(ByteView message) {
  if (alg_ != HashAlg::kSha256 || message.size() > kShortBlocks - kSha256Padding) {
    Extend(Hash(alg_, message).view());
    return;
  }
  const size_t padded =
      (message.size() + kSha256Padding + kSha256Block - 1) / kSha256Block * kSha256Block;
  uint8_t* const end = std::ranges::copy(message, blocks_.begin()).out;
  *end = 0x80;
  std::fill(end + 1, blocks_.data() + padded, uint8_t{0});
  blocks_[padded - 2] = static_cast<uint8_t>(message.size() * 8 >> 8);
  blocks_[padded - 1] = static_cast<uint8_t>(message.size() * 8);
  HashBlocks(ByteView(blocks_).first(padded), Second());
  Step();
}

Digest HashChain::value() const {
  Digest value(alg_);
  std::ranges::copy(ByteView(message_).first(DigestSize(alg_)), value.mutable_view().begin());
  return value;
}

}  // namespace bootgate::crypto
