#include "gatekeeper/session/activation_book.h"

#include <atomic>
#include <thread>
#include <type_traits>
#include <vector>

#include "common/base/hex.h"
#include "common/crypto/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::session {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using ::testing::Not;

static_assert(!std::is_default_constructible_v<ActivatedHost>);
static_assert(!std::is_constructible_v<ActivatedHost, PendingHost>);

const Bytes kAk1 = {0x00, 0x0b, 1};
const Bytes kAk2 = {0x00, 0x0b, 2};

PendingHost Host() {
  PendingHost host;
  host.ek_public = {1, 2, 3};
  host.ak_name = kAk1;
  host.hostname = "db7";
  host.labels = {{"role", "db"}};
  return host;
}

class ActivationBookTest : public ::testing::Test {
 protected:
  std::string Open() {
    absl::StatusOr<std::string> id = book_.Open(Host(), secret_.Clone());
    EXPECT_THAT(id, IsOk());
    return id.value_or("");
  }

  testing::FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  ActivationBook book_{clock_, {.ttl = absl::Seconds(60), .max_open = 3, .max_tries = 3}};
  SecretBytes secret_ = crypto::RandomSecret(32);
  const Bytes wrong_ = Bytes(32, 0xee);
};

TEST_F(ActivationBookTest, RightAnswerGivesTheHostOnce) {
  const std::string id = Open();
  BG_ASSERT_OK_AND_ASSIGN(const ActivatedHost host, book_.Complete(id, kAk1, secret_.view()));
  EXPECT_EQ(host.host().ek_public, Host().ek_public);
  EXPECT_EQ(host.host().hostname, "db7");
  EXPECT_EQ(host.host().labels, Host().labels);
  EXPECT_THAT(book_.Complete(id, kAk1, secret_.view()), Refuses(Reason::kActivationUnknown));
}

TEST_F(ActivationBookTest, SessionsAreUnguessable) {
  const std::string one = Open(), two = Open();
  EXPECT_EQ(one.size(), 32u);
  EXPECT_NE(one, two);
  EXPECT_THAT(book_.Complete("", kAk1, secret_.view()), Refuses(Reason::kActivationUnknown));
}

TEST_F(ActivationBookTest, Attack_A21_WrongAnswerTellsNothingOfTheSecret) {
  const std::string id = Open();
  for (const Bytes& answer : {wrong_, Bytes(), Bytes(ToBytes(secret_.view().first(31)))}) {
    const absl::Status status = book_.Complete(id, kAk1, answer).status();
    EXPECT_THAT(status, Refuses(Reason::kActivationFailed));
    EXPECT_THAT(status.ToString(), Not(HasSubstr(ToHex(secret_.view().first(4)))));
    EXPECT_THAT(status.ToString(), Not(HasSubstr(std::string(AsText(secret_.view().first(4))))));
  }
}

TEST_F(ActivationBookTest, Attack_A21_ThreeWrongAnswersEndIt) {
  const std::string id = Open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(book_.Complete(id, kAk1, wrong_), Refuses(Reason::kActivationFailed));
  }
  EXPECT_THAT(book_.Complete(id, kAk1, secret_.view()), Refuses(Reason::kActivationExpired));
}

TEST_F(ActivationBookTest, Attack_A21_TwoWrongAnswersDoNotEndIt) {
  const std::string id = Open();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(book_.Complete(id, kAk1, wrong_), Refuses(Reason::kActivationFailed));
  }
  EXPECT_THAT(book_.Complete(id, kAk1, secret_.view()), IsOk());
}

TEST_F(ActivationBookTest, Attack_A21_LateAnswerIsExpiredThenUnknown) {
  const std::string id = Open();
  clock_.Advance(absl::Seconds(60));
  EXPECT_THAT(book_.Complete(id, kAk1, secret_.view()), Refuses(Reason::kActivationExpired));
  clock_.Advance(absl::Seconds(60));
  EXPECT_THAT(book_.Complete(id, kAk1, secret_.view()), Refuses(Reason::kActivationUnknown));
}

TEST_F(ActivationBookTest, Attack_A21_OneOf64ConcurrentAnswersWins) {
  const std::string id = Open();
  std::atomic<int> won = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 64; ++i) {
      threads.emplace_back([&] {
        if (book_.Complete(id, kAk1, secret_.view()).ok()) ++won;
      });
    }
  }
  EXPECT_EQ(won, 1);
}

TEST_F(ActivationBookTest, Attack_A23_AnotherKeyThanTheOneActivatedIsRefused) {
  const std::string id = Open();
  EXPECT_THAT(book_.Complete(id, kAk2, secret_.view()), Refuses(Reason::kAkNameMismatch));
  EXPECT_THAT(book_.Complete(id, {}, secret_.view()), Refuses(Reason::kAkNameMismatch));
}

TEST_F(ActivationBookTest, FullTableRefusesUntilSessionsAreForgotten) {
  for (int i = 0; i < 3; ++i) Open();
  EXPECT_THAT(book_.Open(Host(), secret_.Clone()), Refuses(Reason::kTooManyRequests));
  clock_.Advance(absl::Seconds(120));
  EXPECT_THAT(book_.Open(Host(), secret_.Clone()), IsOk());
}

// An empty secret would be answered by an empty answer.
TEST_F(ActivationBookTest, EmptySecretOpensNothing) {
  BG_ASSERT_OK_AND_ASSIGN(const std::string id, book_.Open(Host(), SecretBytes()));
  EXPECT_THAT(book_.Complete(id, kAk1, {}), Refuses(Reason::kActivationFailed));
}

}  // namespace
}  // namespace bootgate::gatekeeper::session
