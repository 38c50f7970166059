// Hash algorithms by their TPM numbers, digests as values, and hashing.
//
// Implements: TPM 2.0 Part 2, TPM_ALG_ID (the five hash algorithms that PCR banks use).
// SHA-1 is here because boot logs and IMA lists contain it; nothing is trusted on SHA-1 alone.
#pragma once

#include <array>
#include <compare>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::crypto {

enum class HashAlg : uint16_t {
  kSha1 = 0x0004,
  kSha256 = 0x000b,
  kSha384 = 0x000c,
  kSha512 = 0x000d,
  kSm3_256 = 0x0012,
};

inline constexpr HashAlg kAllHashAlgs[] = {HashAlg::kSha1, HashAlg::kSha256, HashAlg::kSha384,
                                           HashAlg::kSha512, HashAlg::kSm3_256};
inline constexpr size_t kMaxDigestSize = 64;  // bytes

constexpr size_t DigestSize(HashAlg alg) {  // bytes
  switch (alg) {
    case HashAlg::kSha1:
      return 20;
    case HashAlg::kSha256:
    case HashAlg::kSm3_256:
      return 32;
    case HashAlg::kSha384:
      return 48;
    case HashAlg::kSha512:
      return 64;
  }
  std::abort();  // an enum value that is none: a bug of ours
}
absl::string_view Name(HashAlg alg);  // "sha1", "sha256", "sha384", "sha512", "sm3_256"
std::optional<HashAlg> HashAlgFromTpm(uint16_t tpm_alg_id);
std::optional<HashAlg> HashAlgFromName(absl::string_view name);

// A digest with its algorithm; a value of fixed size, no allocation.
class Digest {
 public:
  Digest() : Digest(HashAlg::kSha256) {}       // SHA-256, all zeros
  explicit Digest(HashAlg alg) : alg_(alg) {}  // all zeros
  static Digest Ones(HashAlg alg);             // all 0xff
  // kInvalidArgument when the size is not that of `alg`.
  static absl::StatusOr<Digest> From(HashAlg alg, ByteView bytes);

  HashAlg alg() const { return alg_; }
  size_t size() const { return DigestSize(alg_); }
  ByteView view() const { return {bytes_.data(), size()}; }
  std::span<uint8_t> mutable_view() { return {bytes_.data(), size()}; }
  std::string hex() const;
  bool IsZero() const;

  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  HashAlg alg_;
  std::array<uint8_t, kMaxDigestSize> bytes_{};  // past size(): zeros
};

// The hash over the parts, one after the other.
Digest Hash(HashAlg alg, ByteView bytes);
Digest Hash(HashAlg alg, std::initializer_list<ByteView> parts);

}  // namespace bootgate::crypto
