#include "gatekeeper/session/nonce_book.h"

#include <atomic>
#include <set>
#include <thread>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::session {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

static_assert(!std::is_default_constructible_v<RedeemedNonce>);
static_assert(!std::is_constructible_v<RedeemedNonce, Bytes, NonceBinding>);

const Bytes kAk = {0x00, 0x0b, 1, 2, 3};
const Bytes kOtherAk = {0x00, 0x0b, 1, 2, 4};

NonceBinding For(const std::string& host) {
  return {.host_id = host,
          .ak_name = kAk,
          .purpose = NoncePurpose::kAttest,
          .selection = {{.alg = crypto::HashAlg::kSha256, .mask = 0x4ff}},
          .ima_first_entry = 42};
}

class NonceBookTest : public ::testing::Test {
 protected:
  absl::StatusOr<RedeemedNonce> Redeem(ByteView nonce, const std::string& host = "h-1") {
    return book_.Redeem(nonce, host, kAk, NoncePurpose::kAttest);
  }

  testing::FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  NonceBook book_{clock_, {.ttl = absl::Seconds(60), .max_nonces = 20'000, .max_per_host = 4}};
};

TEST_F(NonceBookTest, RedeemedNonceCarriesWhatItWasIssuedFor) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes nonce, book_.Issue(For("h-1")));
  BG_ASSERT_OK_AND_ASSIGN(const RedeemedNonce redeemed, Redeem(nonce));
  EXPECT_EQ(redeemed.nonce(), nonce);
  EXPECT_EQ(redeemed.host_id(), "h-1");
  EXPECT_EQ(redeemed.ak_name(), kAk);
  EXPECT_EQ(redeemed.selection(), For("h-1").selection);
  EXPECT_EQ(redeemed.ima_first_entry(), 42u);
}

TEST_F(NonceBookTest, Attack_A12_TenThousandNoncesDiffer) {
  std::set<Bytes> seen;
  for (int i = 0; i < 10'000; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(const Bytes nonce, book_.Issue(For(absl::StrCat("h-", i))));
    EXPECT_GE(nonce.size(), 32u);
    ASSERT_TRUE(seen.insert(nonce).second);
  }
}

TEST_F(NonceBookTest, Attack_A12_NonceNobodyIssuedIsUnknown) {
  BG_ASSERT_OK_AND_ASSIGN(Bytes nonce, book_.Issue(For("h-1")));
  EXPECT_THAT(Redeem({}), Refuses(Reason::kNonceUnknown));
  EXPECT_THAT(Redeem(Bytes(kNonceSize, 0)), Refuses(Reason::kNonceUnknown));
  EXPECT_THAT(Redeem(ByteView(nonce).first(kNonceSize - 1)), Refuses(Reason::kNonceUnknown));
  nonce.push_back(0);
  EXPECT_THAT(Redeem(nonce), Refuses(Reason::kNonceUnknown));
}

TEST_F(NonceBookTest, Attack_A12_YesterdaysNonceIsUnknown) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes nonce, book_.Issue(For("h-1")));
  clock_.Advance(absl::Hours(24));
  EXPECT_THAT(Redeem(nonce), Refuses(Reason::kNonceUnknown));
}

// And the one it was given to can still use it: nobody spoils another's challenge.
TEST_F(NonceBookTest, Attack_A13_NonceIsBoundToHostKeyAndPurpose) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes nonce, book_.Issue(For("h-1")));
  EXPECT_THAT(book_.Redeem(nonce, "h-2", kAk, NoncePurpose::kAttest),
              Refuses(Reason::kNonceBinding));
  EXPECT_THAT(book_.Redeem(nonce, "h-1", kOtherAk, NoncePurpose::kAttest),
              Refuses(Reason::kNonceBinding));
  EXPECT_THAT(book_.Redeem(nonce, "h-1", kAk, NoncePurpose::kEnroll),
              Refuses(Reason::kNonceBinding));
  EXPECT_THAT(Redeem(nonce), IsOk());
}

TEST_F(NonceBookTest, Attack_A14_OneOf64ConcurrentRedemptionsWins) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes nonce, book_.Issue(For("h-1")));
  std::atomic<int> won = 0, told_used = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 64; ++i) {
      threads.emplace_back([&] {
        const absl::StatusOr<RedeemedNonce> redeemed = Redeem(nonce);
        if (redeemed.ok()) ++won;
        if (ReasonOf(redeemed.status()) == Reason::kNonceUsed) ++told_used;
      });
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(told_used, 63);
}

TEST_F(NonceBookTest, Attack_A14_LateAnswerIsExpired) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes in_time, book_.Issue(For("h-1")));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes late, book_.Issue(For("h-1")));
  clock_.Advance(absl::Seconds(59));
  EXPECT_THAT(Redeem(in_time), IsOk());
  clock_.Advance(absl::Seconds(2));
  EXPECT_THAT(Redeem(late), Refuses(Reason::kNonceExpired));
  EXPECT_THAT(Redeem(in_time), Refuses(Reason::kNonceUsed));
}

TEST_F(NonceBookTest, GreedyHostLosesItsOwnOldestNonces) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes others, book_.Issue(For("h-other")));
  std::vector<Bytes> nonces;
  for (int i = 0; i < 5; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(nonces.emplace_back(), book_.Issue(For("h-1")));
  }
  EXPECT_EQ(book_.size(), 5u);
  EXPECT_THAT(Redeem(nonces[0]), Refuses(Reason::kNonceUnknown));
  for (int i = 1; i < 5; ++i) EXPECT_THAT(Redeem(nonces[static_cast<size_t>(i)]), IsOk());
  EXPECT_THAT(Redeem(others, "h-other"), IsOk());
}

// Used nonces count too: asking and answering in a loop does not fill the table.
TEST_F(NonceBookTest, UsedNoncesCountForTheirHost) {
  for (int i = 0; i < 100; ++i) {
    BG_ASSERT_OK_AND_ASSIGN(const Bytes nonce, book_.Issue(For("h-1")));
    ASSERT_THAT(Redeem(nonce), IsOk());
  }
  EXPECT_EQ(book_.size(), 4u);
}

TEST_F(NonceBookTest, FullTableRefusesUntilNoncesAreForgotten) {
  NonceBook small(clock_, {.ttl = absl::Seconds(60), .max_nonces = 2, .max_per_host = 4});
  BG_ASSERT_OK_AND_ASSIGN(const Bytes kept, small.Issue(For("h-1")));
  ASSERT_THAT(small.Issue(For("h-2")), IsOk());
  EXPECT_THAT(small.Issue(For("h-3")), Refuses(Reason::kTooManyRequests));
  EXPECT_THAT(small.Issue(For("h-3")), HasCode(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(small.Redeem(kept, "h-1", kAk, NoncePurpose::kAttest), IsOk());
  clock_.Advance(absl::Seconds(120));
  EXPECT_THAT(small.Issue(For("h-3")), IsOk());
  EXPECT_EQ(small.size(), 1u);
}

TEST_F(NonceBookTest, ManyThreadsIssueAndRedeemWithinTheBounds) {
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&, thread] {
        const std::string host = absl::StrCat("h-", thread % 4);
        for (int i = 0; i < 200; ++i) {
          const absl::StatusOr<Bytes> nonce = book_.Issue(For(host));
          ASSERT_THAT(nonce, IsOk());
          const absl::Status redeemed = Redeem(*nonce, host).status();
          // The host's other thread may have pushed it out.
          if (!redeemed.ok()) {
            ASSERT_THAT(redeemed, Refuses(Reason::kNonceUnknown));
          }
        }
      });
    }
  }
  EXPECT_EQ(book_.size(), 16u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::session
