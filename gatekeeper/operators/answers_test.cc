// What is done under an idempotency key is done once, whatever happens in between.
#include "gatekeeper/operators/answers.h"

#include <stdlib.h>

#include <filesystem>

#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::operators {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

class AnswersTest : public ::testing::Test {
 protected:
  AnswersTest() {
    std::string pattern = ::testing::TempDir() + "/answers.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = store::OpenSqlite({.path = folder_ + "/store.db", .create = true}).value();
    answers_ = std::make_unique<Answers>(*store_);
  }
  ~AnswersTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::string> Call(bool adds_up, const absl::StatusOr<std::string>& ends) {
    return answers_->Once({"alice", "key-1", Bytes(32, 7), adds_up}, now_, [&] {
      ++done_;
      return ends;
    });
  }
  // A gatekeeper that begins, and another one in its place.
  void Restart() { answers_ = std::make_unique<Answers>(*store_); }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Answers> answers_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  int done_ = 0;
};

TEST_F(AnswersTest, TheFirstAnswerIsGivenAgainAlsoAnEmptyOne) {
  for (const bool adds_up : {false, true}) {
    SCOPED_TRACE(adds_up);
    for (int i = 0; i < 2; ++i) {
      const auto answer = answers_->Once({"alice", adds_up ? "a" : "b", Bytes(32, 7), adds_up},
                                         now_, [&]() -> absl::StatusOr<std::string> {
                                           ++done_;
                                           return "";
                                         });
      EXPECT_THAT(answer, IsOk());
      Restart();
    }
  }
  EXPECT_EQ(done_, 2);
}

TEST_F(AnswersTest, WhatAddsUpAndBrokeOffIsNotDoneAgain) {
  EXPECT_THAT(Call(true, absl::UnavailableError("the disk went away")),
              HasCode(absl::StatusCode::kUnavailable));
  Restart();
  EXPECT_THAT(Call(true, "done"), HasCode(absl::StatusCode::kAborted)) << "perhaps it still runs";
  now_ += absl::Minutes(11);
  const auto again = Call(true, "done");
  EXPECT_THAT(again, Refuses(Reason::kIdempotencyKey));
  EXPECT_THAT(again, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(again.status().message()),
              HasSubstr("broke off at 2027-01-15T08:00:00Z"));
  EXPECT_EQ(done_, 1);
  now_ += kAnswersKept;
  EXPECT_THAT(Call(true, "done"), IsOk()) << "a day later the key is free";
}

TEST_F(AnswersTest, AnotherGatekeeperThatAnswersNowIsLeftAlone) {
  Answers other(*store_);
  const auto outer = answers_->Once(
      {"alice", "key-1", Bytes(32, 7), true}, now_, [&]() -> absl::StatusOr<std::string> {
        const auto inner = other.Once({"alice", "key-1", Bytes(32, 7), true}, now_,
                                      []() -> absl::StatusOr<std::string> { return "twice"; });
        EXPECT_THAT(inner, HasCode(absl::StatusCode::kAborted));
        return "once";
      });
  EXPECT_THAT(outer, IsOk());
  EXPECT_EQ(*other.Once({"alice", "key-1", Bytes(32, 7), true}, now_,
                        []() -> absl::StatusOr<std::string> { return "twice"; }),
            "once");
}

TEST_F(AnswersTest, ARefusalLeavesTheKeyFree) {
  EXPECT_THAT(Call(true, absl::NotFoundError("no such incident")),
              HasCode(absl::StatusCode::kNotFound));
  Restart();
  EXPECT_EQ(*Call(true, "done"), "done");
  EXPECT_EQ(*Call(true, "again"), "done");
  EXPECT_EQ(done_, 2);
}

TEST_F(AnswersTest, WhatDoesNotAddUpIsDoneAgainWhenItBrokeOff) {
  EXPECT_FALSE(Call(false, absl::UnavailableError("the disk went away")).ok());
  Restart();
  EXPECT_EQ(*Call(false, "done"), "done");
}

}  // namespace
}  // namespace bootgate::gatekeeper::operators
