#include "common/crypto/hash_chain.h"

#include "gtest/gtest.h"

namespace bootgate::crypto {
namespace {

TEST(HashChain, IsTheHashOfValueAndDigestAgainAndAgain) {
  for (const HashAlg alg : kAllHashAlgs) {
    Digest expected = Hash(alg, AsBytes("start"));
    HashChain chain(expected);
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(chain.Is(expected)) << Name(alg) << " " << i;
      EXPECT_EQ(chain.value(), expected);
      const Digest digest = Hash(alg, expected.view());
      expected = Hash(alg, {expected.view(), digest.view()});
      EXPECT_FALSE(chain.Is(expected));
      chain.Extend(digest.view());
    }
    EXPECT_FALSE(chain.Is(Digest(alg == HashAlg::kSha1 ? HashAlg::kSha256 : HashAlg::kSha1)));
  }
}

// As kernels extend a bank whose hash they lack: and what a longer digest left behind is gone.
// Lengths around those at which the padding takes a block more, and where the short way ends.
TEST(HashChain, MessagesAreHashedOnTheWay) {
  for (const HashAlg alg : kAllHashAlgs) {
    HashChain by_digest{Digest(alg)}, by_message{Digest(alg)};
    for (const size_t size : {0u, 1u, 55u, 56u, 64u, 119u, 120u, 183u, 247u, 248u, 256u, 5000u}) {
      const Bytes message(size, static_cast<uint8_t>(size + 1));
      by_digest.Extend(Hash(alg, message).view());
      by_message.ExtendWithHashOf(message);
      EXPECT_EQ(by_message.value(), by_digest.value()) << Name(alg) << " " << size;
    }
  }
}

TEST(HashChain, ShorterDigestsAreFilledUpWithZeros) {
  for (const HashAlg alg : {HashAlg::kSha256, HashAlg::kSha384, HashAlg::kSha512}) {
    HashChain chain((Digest(alg)));
    chain.Extend(Digest::Ones(alg).view());
    const Digest before = chain.value();
    const Digest sha1 = Hash(HashAlg::kSha1, AsBytes("entry"));
    chain.Extend(sha1.view());
    const Bytes zeros(DigestSize(alg) - sha1.size(), 0);
    EXPECT_EQ(chain.value(), Hash(alg, {before.view(), sha1.view(), zeros})) << Name(alg);
  }
}

}  // namespace
}  // namespace bootgate::crypto
