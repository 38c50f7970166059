#include "gatekeeper/token/key_ring.h"

#include <sys/stat.h>

#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/jose/x5c.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/token/ring_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::token {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class KeyRingTest : public RingTest {
 protected:
  static std::vector<std::string> PublishedBy(KeyRing& ring) {
    std::vector<std::string> out;
    const std::vector<jose::Jwk> keys = ring.Published().value();
    for (const jose::Jwk& jwk : keys) out.push_back(jwk.notes.kid);
    return out;
  }
  std::string Signer(KeyRing& ring) {
    return ring.KeyFor(clock_.Now() + absl::Hours(24)).value().info.kid;
  }
  bool HasSecret(const std::string& kid) const {
    return FileExists(absl::StrCat(keys_folder(), "/", kid, ".key"));
  }
};

TEST_F(KeyRingTest, MakesAKeyWithACertificateOfTheCa) {
  for (const auto alg : {jose::JwsAlg::kEs256, jose::JwsAlg::kRs256}) {
    const auto ring = Open(alg);
    BG_ASSERT_OK_AND_ASSIGN(const SigningKey key, ring->KeyFor(clock_.Now() + absl::Hours(24)));
    EXPECT_EQ(key.info.alg, alg);
    EXPECT_TRUE(jose::Fits(alg, key.secret->Public()));
    EXPECT_EQ(key.info.kid, jose::ThumbprintText(key.secret->Public()));
    BG_ASSERT_OK_AND_ASSIGN(const Bytes root, pki::PemToDer(authority_->root_pem()));
    BG_ASSERT_OK_AND_ASSIGN(
        const crypto::PublicKey certified,
        jose::VerifyX5c(key.info.chain, std::vector<Bytes>{root}, clock_.Now()));
    EXPECT_TRUE(certified == key.secret->Public());
  }
}

// Of 100 keys, one or two would else begin so, and `token key retire -x...` is an option to a
// command line.
TEST_F(KeyRingTest, AKeysNameIsNoOption) {
  const auto ring = Open();
  for (int i = 0; i < 100; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(const std::string kid, ring->Rotate());
    ASSERT_NE(kid.front(), '-');
    ASSERT_THAT(ring->Tend(), IsOk());
  }
}

TEST_F(KeyRingTest, OnlyItsOwnerCanReadTheFolder) {
  const auto ring = Open();
  struct stat folder = {}, secret = {};
  ASSERT_EQ(stat(keys_folder().c_str(), &folder), 0);
  ASSERT_EQ(stat(absl::StrCat(keys_folder(), "/", Signer(*ring), ".key").c_str(), &secret), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0700u);
  EXPECT_EQ(secret.st_mode & 0777, 0600u);
}

TEST_F(KeyRingTest, KeepsItsKeyOverARestart) {
  const std::string before = Signer(*Open());
  EXPECT_EQ(Signer(*Open()), before);
}

TEST_F(KeyRingTest, AnotherAlgorithmMeansAnotherKey) {
  const std::string before = Signer(*Open());
  const auto ring = Open(jose::JwsAlg::kRs256);
  EXPECT_NE(Signer(*ring), before);
  EXPECT_THAT(PublishedBy(*ring), UnorderedElementsAre(before, Signer(*ring)));
}

TEST_F(KeyRingTest, ARotatedKeySignsNoMoreAndStaysPublishedUntilItsTokensAreOver) {
  const auto ring = Open();
  const std::string old = Signer(*ring);
  BG_ASSERT_OK_AND_ASSIGN(const std::string made, ring->Rotate());
  EXPECT_EQ(Signer(*ring), made);
  EXPECT_FALSE(HasSecret(old));
  EXPECT_THAT(PublishedBy(*ring), ElementsAre(made, old));

  clock_.Advance(absl::Hours(24));  // its token is valid up to this very moment
  EXPECT_THAT(ring->Tend().value().deleted, IsEmpty());
  EXPECT_THAT(PublishedBy(*ring), ElementsAre(made, old));

  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(PublishedBy(*ring), ElementsAre(made));
  EXPECT_THAT(ring->Tend().value().deleted, ElementsAre(old));
  EXPECT_FALSE(FileExists(absl::StrCat(keys_folder(), "/", old, ".json")));
}

// What a token needs is on disk before the token leaves: a crash, or another process, forgets
// nothing.
TEST_F(KeyRingTest, TheLongestTokenCountsAlsoAfterARestart) {
  std::string old;
  {
    const auto ring = Open();
    old = ring->KeyFor(clock_.Now() + absl::Hours(24 * 100)).value().info.kid;
    EXPECT_EQ(Signer(*ring), old);  // a shorter one takes nothing away
  }
  const auto ring = Open();
  ASSERT_THAT(ring->Rotate(), IsOk());
  clock_.Advance(absl::Hours(24 * 99));
  ASSERT_THAT(ring->Tend(), IsOk());
  EXPECT_THAT(PublishedBy(*ring), ::testing::Contains(old));
}

TEST_F(KeyRingTest, RotatesByAge) {
  const auto ring = Open();
  const std::string old = Signer(*ring);
  EXPECT_THAT(ring->Tend().value().made, IsEmpty());
  clock_.Advance(absl::Hours(24 * 30));
  BG_ASSERT_OK_AND_ASSIGN(const KeyRing::Tended tended, ring->Tend());
  ASSERT_THAT(tended.made, SizeIs(1));
  EXPECT_EQ(Signer(*ring), tended.made[0]);
  EXPECT_NE(tended.made[0], old);
  EXPECT_THAT(ring->Tend().value().made, IsEmpty());
}

TEST_F(KeyRingTest, AKeyThatSignedNothingIsNotKept) {
  const auto ring = Open();
  BG_ASSERT_OK_AND_ASSIGN(const std::string first, ring->Rotate());
  ASSERT_THAT(ring->Rotate(), IsOk());
  ASSERT_THAT(ring->Tend(), IsOk());
  EXPECT_THAT(PublishedBy(*ring), ::testing::Not(::testing::Contains(first)));
}

TEST_F(KeyRingTest, RetiringTheSignerPutsANewOneInItsPlace) {
  const auto ring = Open();
  const std::string old = Signer(*ring);
  ASSERT_THAT(ring->Retire(old, Retirement::kKeepPublished), IsOk());
  EXPECT_NE(Signer(*ring), old);
  EXPECT_FALSE(HasSecret(old));
  EXPECT_THAT(PublishedBy(*ring), ::testing::Contains(old));
}

TEST_F(KeyRingTest, AWithdrawnKeyIsGoneAtOnce) {
  const auto ring = Open(), other = Open();
  const std::string old = Signer(*ring);
  EXPECT_EQ(Signer(*other), old);
  ASSERT_THAT(ring->Retire(old, Retirement::kWithdraw), IsOk());
  EXPECT_THAT(PublishedBy(*other), ElementsAre(Signer(*ring)));
  EXPECT_EQ(Signer(*other), Signer(*ring));
  EXPECT_FALSE(HasSecret(old));
  EXPECT_EQ(ring->Retire(old, Retirement::kWithdraw).code(), absl::StatusCode::kNotFound);
}

TEST_F(KeyRingTest, ProcessesThatShareTheFolderSeeEachOthersKeys) {
  const auto one = Open(), two = Open();
  EXPECT_EQ(Signer(*one), Signer(*two));
  BG_ASSERT_OK_AND_ASSIGN(const std::string made, two->Rotate());
  EXPECT_EQ(Signer(*one), made);
  EXPECT_EQ(PublishedBy(*one), PublishedBy(*two));
  // Both find the key old at the same time; one rotates.
  clock_.Advance(absl::Hours(24 * 30));
  const size_t by_one = one->Tend().value().made.size(), by_two = two->Tend().value().made.size();
  EXPECT_EQ(by_one + by_two, 1u);
}

TEST_F(KeyRingTest, ManyThreadsAndRingsNeverLeaveATokenWithoutItsKey) {
  const auto one = Open(), two = Open();
  std::vector<std::string> used[4];
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        KeyRing& ring = t % 2 == 0 ? *one : *two;
        for (int i = 0; i < 25; ++i) {
          used[t].push_back(ring.KeyFor(clock_.Now() + absl::Hours(24 + i)).value().info.kid);
          if (t == 0 && i % 10 == 9) {
            ASSERT_THAT(ring.Rotate(), IsOk());
          }
        }
      });
    }
  }
  const std::vector<std::string> published = PublishedBy(*Open());
  for (const auto& kids : used) {
    for (const std::string& kid : kids) EXPECT_THAT(published, ::testing::Contains(kid));
  }
}

TEST_F(KeyRingTest, ATokenNeverOutlivesTheCertificateOfItsKey) {
  const auto ring = Open();
  BG_ASSERT_OK_AND_ASSIGN(const SigningKey key,
                          ring->KeyFor(clock_.Now() + absl::Hours(1'000'000)));
  EXPECT_EQ(key.expires, key.info.not_after);
  EXPECT_LE(key.expires, authority_->not_after());
}

// A key that cannot be read must not drop out of the published set in silence.
TEST_F(KeyRingTest, ADamagedFileIsAnError) {
  const std::string kid = Signer(*Open());
  const std::string path = absl::StrCat(keys_folder(), "/", kid, ".json");
  const std::string good = ReadTextFile(path, 1 << 20).value();
  for (const std::string& bad : {std::string("{}"), std::string(), good.substr(0, good.size() / 2),
                                 absl::StrCat("{\"kid\":\"", kid, "\",", good.substr(1))}) {
    ASSERT_THAT(WriteFileAtomically(path, AsBytes(bad), 0600), IsOk());
    EXPECT_THAT(KeyRing::Open({.folder = keys_folder()}, *authority_, clock_),
                Refuses(Reason::kStateCorrupt));
  }
}

TEST_F(KeyRingTest, AForeignPrivateKeyIsAnError) {
  const std::string kid = Signer(*Open());
  BG_ASSERT_OK_AND_ASSIGN(const auto other, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  ASSERT_THAT(
      WriteFileAtomically(absl::StrCat(keys_folder(), "/", kid, ".key"), other.Pem().view(), 0600),
      IsOk());
  EXPECT_THAT(KeyRing::Open({.folder = keys_folder()}, *authority_, clock_),
              Refuses(Reason::kStateCorrupt));
}

}  // namespace
}  // namespace bootgate::gatekeeper::token
