#include "common/crypto/hash.h"

// OpenSSL 3 calls these deprecated in favour of EVP. For the short messages of logs and lists EVP
// costs two to seven times the hash itself, and hashing is what the gatekeeper does most.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <endian.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>  // explicit_bzero

#include <algorithm>
#include <array>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"

namespace bootgate::crypto {
namespace {

struct Row {
  HashAlg alg;
  absl::string_view name;
};

constexpr Row kRows[] = {
    {HashAlg::kSha1, "sha1"},     {HashAlg::kSha256, "sha256"},   {HashAlg::kSha384, "sha384"},
    {HashAlg::kSha512, "sha512"}, {HashAlg::kSm3_256, "sm3_256"},
};

const Row& RowOf(HashAlg alg) {
  for (const Row& row : kRows) {
    if (row.alg == alg) return row;
  }
  std::abort();  // an enum value that is none: a bug of ours
}

template <typename Context, auto Init, auto Update, auto Final>
void Run(std::initializer_list<ByteView> parts, uint8_t* out) {
  Context context;
  Init(&context);
  for (const ByteView part : parts) Update(&context, part.data(), part.size());
  Final(out, &context);
}

constexpr size_t kSha256Block = 64;                     // bytes
constexpr size_t kShortBlocks = 3 * kSha256Block;       // a padded short message at most
constexpr size_t kShortMessage = kShortBlocks - 1 - 8;  // bytes; 0x80 and the length follow

// A short message with its padding (FIPS 180-4, 5.1.1), all blocks in one call: SHA256_Final takes
// a call of its own for the padding. Extends and template digests are such messages.
void RunShortSha256(std::initializer_list<ByteView> parts, size_t size, uint8_t* out) {
  std::array<uint8_t, kShortBlocks> blocks;  // filled up to `padded`
  const size_t padded = (size + 1 + 8 + kSha256Block - 1) / kSha256Block * kSha256Block;
  uint8_t* to = blocks.data();
  for (const ByteView part : parts) to = std::ranges::copy(part, to).out;
  *to = 0x80;
  std::fill(to + 1, blocks.data() + padded, uint8_t{0});
  blocks[padded - 2] = static_cast<uint8_t>(size * 8 >> 8);
  blocks[padded - 1] = static_cast<uint8_t>(size * 8);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, blocks.data(), padded);
  for (size_t i = 0; i < std::size(context.h); ++i) {
    const uint32_t word = htobe32(context.h[i]);
    memcpy(out + i * sizeof word, &word, sizeof word);
  }
  explicit_bzero(blocks.data(), padded);  // may have been a key
}

void RunSha256(std::initializer_list<ByteView> parts, uint8_t* out) {
  size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  if (size <= kShortMessage) {
    RunShortSha256(parts, size, out);
  } else {
    Run<SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final>(parts, out);
  }
}

void RunSm3(std::initializer_list<ByteView> parts, uint8_t* out) {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  bool ok = context != nullptr && EVP_DigestInit_ex(context, EVP_sm3(), nullptr) == 1;
  for (const ByteView part : parts) {
    ok = ok && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(context, out, nullptr) == 1;
  EVP_MD_CTX_free(context);
  if (!ok) std::abort();  // out of memory; a wrong digest must not live on
}

}  // namespace

absl::string_view Name(HashAlg alg) { return RowOf(alg).name; }

std::optional<HashAlg> HashAlgFromTpm(uint16_t tpm_alg_id) {
  for (const Row& row : kRows) {
    if (static_cast<uint16_t>(row.alg) == tpm_alg_id) return row.alg;
  }
  return std::nullopt;
}

std::optional<HashAlg> HashAlgFromName(absl::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.alg;
  }
  return std::nullopt;
}

Digest Digest::Ones(HashAlg alg) {
  Digest digest(alg);
  std::ranges::fill(digest.mutable_view(), uint8_t{0xff});
  return digest;
}

absl::StatusOr<Digest> Digest::From(HashAlg alg, ByteView bytes) {
  if (bytes.size() != DigestSize(alg)) {
    return absl::InvalidArgumentError(absl::StrCat("a ", Name(alg), " digest has ", DigestSize(alg),
                                                   " bytes, not ", bytes.size()));
  }
  Digest digest(alg);
  std::ranges::copy(bytes, digest.bytes_.begin());
  return digest;
}

std::string Digest::hex() const { return ToHex(view()); }

bool Digest::IsZero() const {
  return std::ranges::all_of(view(), [](uint8_t b) { return b == 0; });
}

Digest Hash(HashAlg alg, ByteView bytes) { return Hash(alg, {bytes}); }

Digest Hash(HashAlg alg, std::initializer_list<ByteView> parts) {
  Digest digest(alg);
  uint8_t* const out = digest.mutable_view().data();
  switch (alg) {
    case HashAlg::kSha1:
      Run<SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final>(parts, out);
      break;
    case HashAlg::kSha256:
      RunSha256(parts, out);
      break;
    case HashAlg::kSha384:
      Run<SHA512_CTX, SHA384_Init, SHA384_Update, SHA384_Final>(parts, out);
      break;
    case HashAlg::kSha512:
      Run<SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final>(parts, out);
      break;
    case HashAlg::kSm3_256:
      RunSm3(parts, out);
      break;
  }
  return digest;
}

}  // namespace bootgate::crypto
