#include "common/crypto/key_strength.h"

#include <numeric>

#include "common/base/reason.h"
#include "common/crypto/private_key.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::crypto {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

BnPtr Number(uint64_t value) {
  BnPtr number(BN_new());
  BN_set_word(number.get(), value);
  return number;
}

BnPtr Product(const BIGNUM* a, const BIGNUM* b) {
  const std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>> context(BN_CTX_new());
  BnPtr product(BN_new());
  BN_mul(product.get(), a, b, context.get());
  return product;
}

// M of the flawed generator: the product of the first `count` primes.
BnPtr Primorial(int count) {
  BnPtr product = Number(1);
  for (uint64_t n = 2; count > 0; ++n) {
    bool prime = true;
    for (uint64_t d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
    if (!prime) continue;
    product = Product(product.get(), Number(n).get());
    --count;
  }
  return product;
}

// A number of `bits` bits as the flawed generator makes its candidates for primes:
// k * M + (65537^a mod M). Whether it is prime does not show in the product's shape.
BnPtr Candidate(const BIGNUM* m, int bits, uint64_t a) {
  const std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>> context(BN_CTX_new());
  BnPtr power(BN_new()), k(BN_new());
  BN_mod_exp(power.get(), Number(65537).get(), Number(a).get(), m, context.get());
  BN_set_bit(k.get(), bits - 1);
  BN_set_bit(k.get(), bits - 2);
  BN_div(k.get(), nullptr, k.get(), m, context.get());
  BnPtr candidate = Product(k.get(), m);
  BN_add(candidate.get(), candidate.get(), power.get());
  return candidate;
}

Bytes BytesOf(const BIGNUM* number) {
  Bytes bytes(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return bytes;
}

struct Generator {
  int modulus_bits, primes;
};
class RocaTest : public ::testing::TestWithParam<Generator> {};

TEST_P(RocaTest, A30_ModuliOfTheFlawedGeneratorAreRefused) {
  const BnPtr m = Primorial(GetParam().primes);
  for (uint64_t a = 3; a < 23; ++a) {
    const BnPtr p = Candidate(m.get(), GetParam().modulus_bits / 2, a);
    const BnPtr q = Candidate(m.get(), GetParam().modulus_bits / 2, 1000 * a + 1);
    const Bytes modulus = BytesOf(Product(p.get(), q.get()).get());
    BG_ASSERT_OK_AND_ASSIGN(const PublicKey key, PublicKey::FromRsa(modulus, 65537));
    const absl::Status status = CheckStrength(key);
    EXPECT_THAT(status, Refuses(Reason::kKeyWeak)) << a;
    // Either is a reason to refuse; a candidate that is no prime may have a small factor.
    EXPECT_THAT(std::string(status.message()),
                ::testing::AnyOf(HasSubstr("ROCA"), HasSubstr("has the factor")));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, RocaTest,
                         ::testing::Values(Generator{2048, 126}, Generator{3072, 126},
                                           Generator{4096, 225}, Generator{2048, 39}),
                         [](const auto& row) {
                           return "Rsa" + std::to_string(row.param.modulus_bits) + "Primes" +
                                  std::to_string(row.param.primes);
                         });

TEST(CheckStrength, TheShapeItselfIsSeen) {
  // M has every prime that is tried up to 701, and the two factors have none of them or of the
  // next.
  const BnPtr m = Primorial(126);
  int shaped = 0;
  for (uint64_t a = 3; a < 23; ++a) {
    const BnPtr p = Candidate(m.get(), 1024, a);
    const BnPtr n = Product(p.get(), p.get());
    const auto key = PublicKey::FromRsa(BytesOf(n.get()), 65537);
    ASSERT_THAT(key, IsOk());
    shaped += std::string(CheckStrength(*key).message()).find("ROCA") != std::string::npos;
  }
  EXPECT_GT(shaped, 5);
}

TEST(CheckStrength, A30_SmallFactorsAreFound) {
  for (const uint64_t factor : {3u, 5u, 257u, 641u, 1999u}) {
    Bytes bytes(256, 0x5b);
    bytes.front() = 0xc5;
    BnPtr number(BN_bin2bn(bytes.data(), 255, nullptr));
    BN_set_bit(number.get(), 255 * 8 - 1);
    while (BN_mod_word(number.get(), 2) == 0) BN_add_word(number.get(), 1);
    BnPtr product = Product(number.get(), Number(factor).get());
    while (BN_num_bits(product.get()) < 2048) {
      product = Product(product.get(), Number(factor).get());
    }
    BG_ASSERT_OK_AND_ASSIGN(const PublicKey key, PublicKey::FromRsa(BytesOf(product.get()), 65537));
    const absl::Status status = CheckStrength(key);
    EXPECT_THAT(status, Refuses(Reason::kKeyWeak)) << factor;
    EXPECT_THAT(std::string(status.message()), HasSubstr("has the factor"));
  }
}

TEST(CheckStrength, SoundKeysPass) {
  for (int i = 0; i < 3; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(const PrivateKey rsa, PrivateKey::GenerateRsa(2048));
    EXPECT_THAT(CheckStrength(rsa.Public()), IsOk());
  }
  BG_ASSERT_OK_AND_ASSIGN(const PrivateKey ec, PrivateKey::GenerateEc(Curve::kP256));
  EXPECT_THAT(CheckStrength(ec.Public()), IsOk());
}

}  // namespace
}  // namespace bootgate::crypto
