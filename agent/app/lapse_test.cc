#include "agent/app/lapse.h"

#include <future>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace bootgate::agent::app {
namespace {

TEST(Lapse, HappensWhenItsTimeComesAndNotBefore) {
  std::promise<absl::Time> happened;
  Lapse lapse([&] { happened.set_value(absl::Now()); });
  const absl::Time when = absl::Now() + absl::Milliseconds(30);
  lapse.Set(when);
  EXPECT_GE(happened.get_future().get(), when);
}

TEST(Lapse, HappensAtOnceWhenItIsLate) {
  std::promise<void> happened;
  Lapse lapse([&] { happened.set_value(); });
  lapse.Set(absl::InfinitePast());
  happened.get_future().wait();
}

TEST(Lapse, OnlyTheLastTimeCounts) {
  std::promise<void> happened;
  Lapse lapse([&] { happened.set_value(); });  // a second call would throw
  lapse.Set(absl::Now() + absl::Hours(1));
  lapse.Set(absl::InfiniteFuture());
  lapse.Set(absl::Now() + absl::Milliseconds(5));
  happened.get_future().wait();
  lapse.Set(absl::Now() + absl::Hours(1));
}

}  // namespace
}  // namespace bootgate::agent::app
