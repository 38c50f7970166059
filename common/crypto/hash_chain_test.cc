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
