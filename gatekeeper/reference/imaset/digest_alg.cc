#include "gatekeeper/reference/imaset/digest_alg.h"

#include <iterator>

namespace bootgate::gatekeeper::reference {
namespace {

// In the order of the kernel's enum hash_algo.
constexpr absl::string_view kNames[] = {
    "md4",    "md5",     "sha1",        "rmd160",      "sha256",   "sha384",   "sha512",  "sha224",
    "rmd128", "rmd256",  "rmd320",      "wp256",       "wp384",    "wp512",    "tgr128",  "tgr160",
    "tgr192", "sm3-256", "streebog256", "streebog512", "sha3-256", "sha3-384", "sha3-512"};
static_assert(std::size(kNames) == kDigestAlgs);

}  // namespace

absl::string_view NameOf(DigestAlg alg) { return kNames[static_cast<size_t>(alg)]; }

std::optional<DigestAlg> DigestAlgFromNumber(uint32_t number) {
  if (number >= kDigestAlgs) return std::nullopt;
  return static_cast<DigestAlg>(number);
}

std::optional<DigestAlg> DigestAlgFromName(absl::string_view name) {
  if (name == "sha256") return DigestAlg::kSha256;  // nearly every entry
  if (name == "sm3" || name == "sm3_256") return DigestAlg::kSm3_256;
  for (uint32_t i = 0; i < kDigestAlgs; ++i) {
    if (kNames[i] == name) return static_cast<DigestAlg>(i);
  }
  return std::nullopt;
}

}  // namespace bootgate::gatekeeper::reference
