#include "gatekeeper/reference/imaset/digest_alg.h"

#include <iterator>

namespace bootgate::gatekeeper::reference {
namespace {

struct Row {
  absl::string_view name;
  size_t size;  // bytes
};

// In the order of the kernel's enum hash_algo.
constexpr Row kRows[] = {
    {"md4", 16},      {"md5", 16},      {"sha1", 20},     {"rmd160", 20},      {"sha256", 32},
    {"sha384", 48},   {"sha512", 64},   {"sha224", 28},   {"rmd128", 16},      {"rmd256", 32},
    {"rmd320", 40},   {"wp256", 32},    {"wp384", 48},    {"wp512", 64},       {"tgr128", 16},
    {"tgr160", 20},   {"tgr192", 24},   {"sm3-256", 32},  {"streebog256", 32}, {"streebog512", 64},
    {"sha3-256", 32}, {"sha3-384", 48}, {"sha3-512", 64},
};
static_assert(std::size(kRows) == kDigestAlgs);

const Row& RowOf(DigestAlg alg) { return kRows[static_cast<size_t>(alg)]; }

}  // namespace

size_t SizeOf(DigestAlg alg) { return RowOf(alg).size; }

absl::string_view NameOf(DigestAlg alg) { return RowOf(alg).name; }

std::optional<DigestAlg> DigestAlgFromNumber(uint32_t number) {
  if (number >= kDigestAlgs) return std::nullopt;
  return static_cast<DigestAlg>(number);
}

std::optional<DigestAlg> DigestAlgFromName(absl::string_view name) {
  if (name == "sha256") return DigestAlg::kSha256;  // nearly every entry
  if (name == "sm3" || name == "sm3_256") return DigestAlg::kSm3_256;
  for (uint32_t i = 0; i < kDigestAlgs; ++i) {
    if (kRows[i].name == name) return static_cast<DigestAlg>(i);
  }
  return std::nullopt;
}

}  // namespace bootgate::gatekeeper::reference
