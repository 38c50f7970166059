#include "agent/client/backoff.h"

#include "gtest/gtest.h"

namespace bootgate::agent {
namespace {

TEST(Backoff, CeilingDoublesUpToTheMost) {
  Backoff backoff({.first = absl::Seconds(1), .most = absl::Seconds(5)});
  EXPECT_EQ(backoff.Next(0xffffffff), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(0xffffffff), absl::Seconds(2));
  EXPECT_EQ(backoff.Next(0xffffffff), absl::Seconds(4));
  EXPECT_EQ(backoff.Next(0xffffffff), absl::Seconds(5));
  EXPECT_EQ(backoff.failures(), 4);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(0xffffffff), absl::Seconds(1));
}

TEST(Backoff, JitterNeverReachesZero) {
  Backoff backoff({.first = absl::Seconds(10), .most = absl::Seconds(10)});
  EXPECT_EQ(backoff.Next(0), absl::Seconds(1));
}

TEST(Backoff, ManyFailuresDoNotOverflow) {
  Backoff backoff({.first = absl::Seconds(1), .most = absl::Minutes(5)});
  absl::Duration wait;
  for (int i = 0; i < 1000; ++i) wait = backoff.Next(0xffffffff);
  EXPECT_EQ(wait, absl::Minutes(5));
}

}  // namespace
}  // namespace bootgate::agent
