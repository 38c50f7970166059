#include "common/crypto/random.h"

#include <openssl/rand.h>

#include <cstdlib>

#include "common/base/hex.h"

namespace bootgate::crypto {
namespace {

void Fill(std::span<uint8_t> out) {
  if (!out.empty() && RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) std::abort();
}

}  // namespace

Bytes RandomBytes(size_t size) {
  Bytes out(size);
  Fill(out);
  return out;
}

SecretBytes RandomSecret(size_t size) {
  SecretBytes out(size);
  Fill(out.mutable_view());
  return out;
}

std::string RandomHex(size_t bytes) { return ToHex(RandomBytes(bytes)); }

}  // namespace bootgate::crypto
