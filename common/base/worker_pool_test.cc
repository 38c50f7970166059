#include "common/base/worker_pool.h"

#include <atomic>
#include <future>

#include "gtest/gtest.h"

namespace bootgate {
namespace {

TEST(WorkerPool, RunsEverythingBeforeItGoes) {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(2, 1000);
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.TryRun([&ran] { ++ran; }));
  }
  EXPECT_EQ(ran, 500);
}

TEST(WorkerPool, RefusesWhatDoesNotFit) {
  std::promise<void> gate, started;
  std::shared_future<void> opened = gate.get_future().share();
  WorkerPool pool(1, 1);
  ASSERT_TRUE(pool.TryRun([&started, opened] {
    started.set_value();
    opened.wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.TryRun([] {}));
  EXPECT_FALSE(pool.TryRun([] {}));
  gate.set_value();
}

}  // namespace
}  // namespace bootgate
