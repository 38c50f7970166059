// The hash algorithms that IMA may name before a digest, as a reference set numbers them.
//
// Implements: Linux include/uapi/linux/hash_info.h (enum hash_algo: the numbers and their order)
// and crypto/hash_info.c (names and sizes). More than a TPM knows: a set says what a file's digest
// is, also where a rule will call the algorithm weak.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::reference {

// The kernel's number of the algorithm. Only numbers of the table in digest_alg.cc occur.
enum class DigestAlg : uint8_t { kSha1 = 2, kSha256 = 4, kSha384 = 5, kSha512 = 6, kSm3_256 = 17 };

inline constexpr size_t kDigestAlgs = 23;     // numbers 0 .. 22
inline constexpr size_t kLongestDigest = 64;  // bytes

// In bytes, by number. Here, so that it is compiled into look-ups.
inline constexpr uint8_t kDigestSizes[kDigestAlgs] = {
    16, 16, 20, 20, 32, 48, 64, 28, 16, 32, 40, 32, 48, 64, 16, 20, 24, 32, 32, 64, 32, 48, 64};
constexpr size_t SizeOf(DigestAlg alg) { return kDigestSizes[static_cast<size_t>(alg)]; }
absl::string_view NameOf(DigestAlg alg);  // "sha256", as the kernel writes it
std::optional<DigestAlg> DigestAlgFromNumber(uint32_t number);
// Also "sm3", "sm3_256", as older kernels and other tools write.
std::optional<DigestAlg> DigestAlgFromName(absl::string_view name);

}  // namespace bootgate::gatekeeper::reference
