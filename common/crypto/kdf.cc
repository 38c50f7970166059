#include "common/crypto/kdf.h"

#include <string.h>  // explicit_bzero

#include <algorithm>
#include <array>

#include "common/base/status_macros.h"

namespace bootgate::crypto {
namespace {

constexpr size_t kMaxBlock = 128;  // bytes, SHA-384 and SHA-512

size_t BlockSize(HashAlg alg) {
  return alg == HashAlg::kSha384 || alg == HashAlg::kSha512 ? 128 : 64;
}

std::array<uint8_t, 4> Be32(size_t value) {
  return {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
          static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

SecretBytes Joined(std::initializer_list<ByteView> parts) {
  size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  SecretBytes out(size);
  auto to = out.mutable_view().begin();
  for (const ByteView part : parts) to = std::ranges::copy(part, to).out;
  return out;
}

// Blocks 1, 2, ... of `block(counter)` until there are `bits`; surplus bits are the first ones of
// the first byte, and zero.
template <typename Block>
SecretBytes Counted(size_t bits, Block block) {
  SecretBytes out((bits + 7) / 8);
  std::span<uint8_t> rest = out.mutable_view();
  for (size_t counter = 1; !rest.empty(); ++counter) {
    const Digest digest = block(Be32(counter));
    const size_t size = std::min(rest.size(), digest.size());
    std::ranges::copy(digest.view().first(size), rest.begin());
    rest = rest.subspan(size);
  }
  if (bits % 8 != 0) {
    uint8_t& first = out.mutable_view()[0];
    first = static_cast<uint8_t>(first & ((1u << (bits % 8)) - 1));
  }
  return out;
}

constexpr uint8_t kNul[] = {0};

}  // namespace

// RFC 2104 over our own hashing, which is several times cheaper than EVP_MAC for short messages.
Digest Hmac(HashAlg alg, ByteView key, std::initializer_list<ByteView> parts) {
  const size_t block = BlockSize(alg);
  std::array<uint8_t, kMaxBlock> inner_pad{};
  if (key.size() > block) {
    std::ranges::copy(Hash(alg, key).view(), inner_pad.begin());
  } else {
    std::ranges::copy(key, inner_pad.begin());
  }
  std::array<uint8_t, kMaxBlock> outer_pad = inner_pad;
  for (uint8_t& byte : inner_pad) byte ^= 0x36;
  for (uint8_t& byte : outer_pad) byte ^= 0x5c;
  const SecretBytes message = Joined(parts);
  const Digest inner = Hash(alg, {ByteView(inner_pad).first(block), message.view()});
  const Digest outer = Hash(alg, {ByteView(outer_pad).first(block), inner.view()});
  explicit_bzero(inner_pad.data(), inner_pad.size());
  explicit_bzero(outer_pad.data(), outer_pad.size());
  return outer;
}

SecretBytes KdfA(HashAlg alg, ByteView key, absl::string_view label, ByteView context_u,
                 ByteView context_v, size_t bits) {
  const std::array<uint8_t, 4> length = Be32(bits);
  return Counted(bits, [&](const std::array<uint8_t, 4>& counter) {
    return Hmac(alg, key, {counter, AsBytes(label), kNul, context_u, context_v, length});
  });
}

SecretBytes KdfE(HashAlg alg, ByteView z, absl::string_view use, ByteView party_u, ByteView party_v,
                 size_t bits) {
  return Counted(bits, [&](const std::array<uint8_t, 4>& counter) {
    return Hash(alg, {counter, z, AsBytes(use), kNul, party_u, party_v});
  });
}

}  // namespace bootgate::crypto
