#include "common/crypto/key_strength.h"

#include <algorithm>
#include <bitset>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::crypto {
namespace {

constexpr uint32_t kFirstUntried = 2000;  // factors below are looked for
constexpr uint32_t kLastShaping = 167;    // every flawed key, whatever its size, has these in its M
constexpr uint32_t kGenerator = 65537;

std::vector<uint32_t> OddPrimes() {
  std::vector<bool> composite(kFirstUntried);
  std::vector<uint32_t> primes;
  for (uint32_t n = 3; n < kFirstUntried; n += 2) {
    if (composite[n]) continue;
    primes.push_back(n);
    for (uint32_t m = n * n; m < kFirstUntried; m += 2 * n) composite[m] = true;
  }
  return primes;
}

// The powers of the generator modulo `prime`, one bit each.
using Powers = std::bitset<kLastShaping + 1>;
Powers PowersModulo(uint32_t prime) {
  Powers powers;
  for (uint32_t power = 1; !powers[power]; power = power * (kGenerator % prime) % prime) {
    powers[power] = true;
  }
  return powers;
}

struct Shape {
  uint32_t prime;
  Powers powers;
};
std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (const uint32_t prime : OddPrimes()) {
    if (prime > kLastShaping) break;
    shapes.push_back({prime, PowersModulo(prime)});
  }
  return shapes;
}

uint32_t Modulo(ByteView number, uint32_t prime) {
  uint64_t rest = 0;
  size_t at = 0;
  for (; at < number.size() % 4; ++at) rest = (rest << 8 | number[at]) % prime;
  for (; at < number.size(); at += 4) {
    const uint64_t word = uint64_t{number[at]} << 24 | uint64_t{number[at + 1]} << 16 |
                          uint64_t{number[at + 2]} << 8 | number[at + 3];
    rest = (rest << 32 | word) % prime;
  }
  return static_cast<uint32_t>(rest);
}

}  // namespace

absl::Status CheckStrength(const PublicKey& key) {
  if (key.kind() != PublicKey::Kind::kRsa) return absl::OkStatus();
  static const auto* const kPrimes = new std::vector<uint32_t>(OddPrimes());
  static const auto* const kShapes = new std::vector<Shape>(Shapes());
  BG_ASSIGN_OR_RETURN(const PublicKey::RsaParts rsa, key.Rsa());
  for (const uint32_t prime : *kPrimes) {
    if (Modulo(rsa.modulus, prime) == 0) {
      return Malformed(Reason::kKeyWeak, absl::StrCat("RSA modulus has the factor ", prime));
    }
  }
  const bool shaped = std::all_of(kShapes->begin(), kShapes->end(), [&](const Shape& shape) {
    return shape.powers[Modulo(rsa.modulus, shape.prime)];
  });
  if (shaped) {
    return Malformed(Reason::kKeyWeak,
                     "RSA modulus of a flawed generator (ROCA, CVE-2017-15361): its factors can be "
                     "found");
  }
  return absl::OkStatus();
}

}  // namespace bootgate::crypto
